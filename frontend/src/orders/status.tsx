import { useMessages } from "@/i18n";
import { Badge, type Tone } from "@/ui/badge";

import type { Order } from "./api";
import type { Connection } from "./events";
import { messages } from "./messages";

const orderTones: Record<Order["status"], Tone> = {
  pending: "waiting",
  confirmed: "good",
  rejected: "bad",
  cancelled: "neutral",
  shipped: "info",
  delivered: "good",
  returned: "neutral",
};
const paymentTones: Record<Order["payment_status"], Tone> = {
  pending: "waiting",
  authorized: "info",
  captured: "good",
  voided: "neutral",
  failed: "bad",
  partially_refunded: "info",
  refunded: "neutral",
};
const fulfilmentTones: Record<Order["fulfilment_status"], Tone> = {
  unfulfilled: "waiting",
  reserved: "info",
  shipped: "info",
  delivered: "good",
  returned: "neutral",
  cancelled: "neutral",
};

/** The status of an order as a badge. */
export function OrderStatus({ order: { status } }: { order: Pick<Order, "status"> }) {
  const t = useMessages(messages);
  return <Badge tone={orderTones[status]}>{t.statuses[status]}</Badge>;
}

/** The payment status of an order as a badge. */
export function PaymentStatus({ order: { payment_status: status } }: { order: Pick<Order, "payment_status"> }) {
  const t = useMessages(messages);
  return <Badge tone={paymentTones[status]}>{t.paymentStatuses[status]}</Badge>;
}

/** The fulfilment status of an order as a badge. */
export function FulfilmentStatus({ order: { fulfilment_status: status } }: { order: Pick<Order, "fulfilment_status"> }) {
  const t = useMessages(messages);
  return <Badge tone={fulfilmentTones[status]}>{t.fulfilmentStatuses[status]}</Badge>;
}

const connectionTones: Record<Connection, Tone> = { connecting: "neutral", live: "good", reconnecting: "waiting", ended: "neutral" };

/** The state of the event stream as a badge. */
export function LiveStatus({ connection }: { connection: Connection }) {
  const t = useMessages(messages);
  return (
    <Badge tone={connectionTones[connection]} sign={connection === "live" ? "●" : "○"}>
      {t.connection[connection]}
    </Badge>
  );
}

/** Returns a short form of a UUID for display: its last eight digits, which are random. */
export function shortId(id: string): string {
  return `#${id.slice(-8).toUpperCase()}`;
}
