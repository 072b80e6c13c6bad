import type { JoinedOrder } from "./api";

export type Returnable = JoinedOrder["lines"][number] & { left: number };

const CAN = new Set<JoinedOrder["status"]>(["confirmed", "shipped", "delivered"]);

/** The lines of which something may still be sent back: bought, and neither back nor on its way back. */
export function returnable(order: Pick<JoinedOrder, "status" | "lines" | "returns">): readonly Returnable[] {
  if (!CAN.has(order.status)) return [];
  const back = order.returns.filter(({ status }) => status !== "refused").flatMap(({ items }) => items);
  return order.lines
    .map((line) => ({
      ...line,
      left: back.reduce((left, item) => (item.sku === line.sku ? left - item.quantity : left), line.quantity),
    }))
    .filter(({ left }) => left > 0);
}
