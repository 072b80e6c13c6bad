import { useMessages } from "@/i18n";
import { Badge, type Tone } from "@/ui/badge";

import { messages } from "./messages";

const tones: Record<string, Tone> = {
  // Orders and their fulfilment.
  pending: "waiting",
  confirmed: "good",
  shipped: "info",
  delivered: "good",
  rejected: "bad",
  cancelled: "neutral",
  returned: "neutral",
  unfulfilled: "waiting",
  reserved: "info",
  // Payments and refunds.
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
  // Circuit breakers.
  closed: "good",
  half_open: "waiting",
  open: "bad",
  // Instances of upstreams.
  healthy: "good",
  unhealthy: "bad",
  ejected: "bad",
  // Changes of the configuration.
  applied: "good",
};

/** A badge for a status of the API, such as that of an order, payment, saga, breaker or instance. */
export function Status({ of, tone = tones[of] ?? "neutral" }: { of: string; tone?: Tone | undefined }) {
  const t = useMessages(messages);
  const words: Record<string, string> = t.statuses;
  return <Badge tone={tone}>{words[of] ?? of}</Badge>;
}
