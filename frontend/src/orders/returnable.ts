import type { JoinedOrder } from "./api";

export type Returnable = JoinedOrder["lines"][number] & { left: number };

const CAN = new Set<JoinedOrder["status"]>(["confirmed", "shipped", "delivered"]);

/** The lines of which something can still be returned: bought, not in another return, and not refunded already. */
export function returnable(order: Pick<JoinedOrder, "status" | "payment_status" | "lines" | "returns">): readonly Returnable[] {
  if (!CAN.has(order.status) || order.payment_status === "refunded") return [];
  const back = order.returns.filter(({ status }) => status !== "refused").flatMap(({ items }) => items);
  return order.lines
    .map((line) => ({
      ...line,
      left: back.reduce((left, item) => (item.sku === line.sku ? left - item.quantity : left), line.quantity),
    }))
    .filter(({ left }) => left > 0);
}

/** Whether the items must come back before they are refunded. */
export function wasShipped({ status }: Pick<JoinedOrder, "status">): boolean {
  return status === "shipped" || status === "delivered";
}

/** What is refunded for so many of each line: their price, or what an operator has left of the payment. */
export function refundOf(
  { total, payment }: Pick<JoinedOrder, "total" | "payment">,
  lines: readonly Returnable[],
  chosen: Readonly<Record<string, number>>,
): number {
  const price = lines.reduce((sum, { sku, unit_price }) => sum + unit_price.amount * (chosen[sku] ?? 0), 0);
  return Math.min(price, total.amount - (payment?.refunded.amount ?? 0));
}

/** Whether a return waits until an operator confirms that its items have arrived. */
export function waitsForItems({ status, needs_receipt }: JoinedOrder["returns"][number]): boolean {
  return status === "requested" && needs_receipt === true;
}

/** Whether an order may leave the warehouse, as far as its returns and refunds go. */
export function mayShip({ status, payment_status, returns }: Pick<JoinedOrder, "status" | "payment_status" | "returns">): boolean {
  const isOpen = returns.some((one) => one.status !== "completed" && one.status !== "refused");
  return status === "confirmed" && payment_status !== "refunded" && !isOpen;
}
