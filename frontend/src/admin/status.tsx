import { useMessages } from "@/i18n";
import { Badge, type Tone } from "@/ui/badge";

import { messages } from "./messages";

const tones: Record<string, Tone> = {
  // Orders and what was bought.
  pending: "waiting",
  confirmed: "good",
  shipped: "info",
  delivered: "good",
  rejected: "bad",
  cancelled: "neutral",
  returned: "neutral",
  unfulfilled: "waiting",
  reserved: "info",
  // Money.
  created: "waiting",
  authorizing: "waiting",
  authorized: "info",
  capturing: "waiting",
  captured: "good",
  voiding: "waiting",
  voided: "neutral",
  failed: "bad",
  expired: "neutral",
  partially_refunded: "info",
  refunded: "neutral",
  succeeded: "good",
  // Sagas and their steps.
  running: "waiting",
  compensating: "waiting",
  completed: "good",
  compensated: "neutral",
  parked: "bad",
  done: "good",
  refused: "bad",
  silent: "bad",
  skipped: "neutral",
  // Breakers.
  closed: "good",
  half_open: "waiting",
  open: "bad",
};

/** A status of anything in the API, by its word. */
export function Status({ of, tone = tones[of] ?? "neutral" }: { of: string; tone?: Tone | undefined }) {
  const t = useMessages(messages);
  const words: Record<string, string> = t.statuses;
  return <Badge tone={tone}>{words[of] ?? of}</Badge>;
}
