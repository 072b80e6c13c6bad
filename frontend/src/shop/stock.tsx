import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Badge } from "@/ui/badge";

import { messages } from "./messages";

/** At this number or fewer, the exact number is shown. */
const FEW = 5;

/** The availability of a product; `isBrief` omits large numbers, for lists. */
export function Stock({ available, isBrief = false }: { available: number; isBrief?: boolean }) {
  const t = useMessages(messages);
  const format = useFormat();
  if (available <= 0) return <Badge tone="bad">{t.soldOut}</Badge>;
  if (available <= FEW) return <Badge tone="waiting">{t.onlyLeft(available)}</Badge>;
  return <Badge tone="good">{isBrief ? t.inStock : t.available(format.number(available))}</Badge>;
}
