import type { OrderSagas, Step } from "./api";

export const checkout = ["reserve_stock", "authorize_payment", "pin_stock", "capture_payment", "commit_stock", "confirm_order"];
export const returning = ["refund_payment", "restock_items", "complete_return"];

const services: Record<string, string> = { confirm_order: "orders", complete_return: "orders" };

/** A step of a saga, for tests. */
export function step(name: string, part: Partial<Step> = {}): Step {
  return {
    name,
    service: services[name] ?? (name.includes("payment") ? "payments" : "inventory"),
    direction: "do",
    pivot: (name === "capture_payment" || name === "refund_payment") && part.direction !== "undo",
    state: "pending",
    command_id: null,
    attempts: 0,
    started_at: null,
    finished_at: null,
    reason: null,
    ...part,
  };
}

/** A saga of these steps, for tests. */
export function sagaOf(steps: Step[], part: Partial<OrderSagas> = {}): OrderSagas {
  const at = "2026-11-24T14:00:00Z";
  const saga = { id: "s", order_id: "o", definition: "checkout", status: "running", steps, created_at: at, updated_at: at };
  return { ...saga, returns: [], ...part };
}
