import type { JoinedOrder } from "./api";

/** An order line with the quantity that can still be returned. */
export type Returnable = JoinedOrder["lines"][number] & { left: number };

const RETURNABLE_STATUSES = new Set<JoinedOrder["status"]>(["confirmed", "shipped", "delivered"]);

/** Returns the lines with items that are neither in another return nor refunded. */
export function returnable(order: Pick<JoinedOrder, "status" | "payment_status" | "lines" | "returns">): readonly Returnable[] {
  if (!RETURNABLE_STATUSES.has(order.status) || order.payment_status === "refunded") return [];
  const returned = order.returns.filter(({ status }) => status !== "refused").flatMap(({ lines }) => lines);
  return order.lines
    .map((line) => ({
      ...line,
      left: returned.reduce((left, item) => (item.sku === line.sku ? left - item.quantity : left), line.quantity),
    }))
    .filter(({ left }) => left > 0);
}

/** Whether the order was shipped, so that a refund requires the items to be sent back. */
export function wasShipped({ status }: Pick<JoinedOrder, "status">): boolean {
  return status === "shipped" || status === "delivered";
}

/** Returns the refund for the chosen quantities in minor units: their price, limited to the amount not refunded yet. */
export function refundOf(
  { total, payment }: Pick<JoinedOrder, "total" | "payment">,
  lines: readonly Returnable[],
  chosen: Readonly<Record<string, number>>,
): number {
  const price = lines.reduce((sum, { sku, unit_price }) => sum + unit_price.amount * (chosen[sku] ?? 0), 0);
  return Math.min(price, total.amount - (payment?.refunded.amount ?? 0));
}

/** Whether a return is waiting for an operator to confirm the receipt of its items. */
export function isAwaitingItems({ status, needs_receipt }: JoinedOrder["returns"][number]): boolean {
  return status === "requested" && needs_receipt === true;
}

/** Whether an operator can ship the order: it is confirmed, not fully refunded, and has no open return. */
export function isShippable({ status, payment_status, returns }: Pick<JoinedOrder, "status" | "payment_status" | "returns">): boolean {
  const isOpen = returns.some((one) => one.status !== "completed" && one.status !== "refused");
  return status === "confirmed" && payment_status !== "refunded" && !isOpen;
}
