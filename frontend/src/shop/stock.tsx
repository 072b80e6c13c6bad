import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Badge } from "@/ui/badge";

import { messages } from "./messages";

/** From here on down, it is said how few are left. */
const FEW = 5;

/** How many there are, as far as a shopper cares; `isBrief` for a list. */
export function Stock({ available, isBrief = false }: { available: number; isBrief?: boolean }) {
  const t = useMessages(messages);
  const format = useFormat();
  if (available <= 0) return <Badge tone="bad">{t.soldOut}</Badge>;
  if (available <= FEW) return <Badge tone="waiting">{t.onlyLeft(available)}</Badge>;
  return <Badge tone="good">{isBrief ? t.inStock : t.available(format.number(available))}</Badge>;
}
