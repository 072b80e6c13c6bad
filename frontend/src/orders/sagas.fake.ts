import type { OrderSagas, Step } from "./api";

/** The steps of a checkout saga, in order. */
export const checkout = ["reserve_stock", "authorize_payment", "pin_stock", "capture_payment", "commit_stock", "confirm_order"];
/** The steps of a return saga, in order. */
export const returning = ["refund_payment", "restock_items", "complete_return"];

const services: Record<string, string> = { confirm_order: "orders", complete_return: "orders" };

/** Creates a saga step for tests; pending by default. */
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

/** Creates a saga with the given steps for tests; running by default. */
export function sagaOf(steps: Step[], part: Partial<OrderSagas> = {}): OrderSagas {
  const at = "2026-11-24T14:00:00Z";
  const saga = { id: "s", order_id: "o", definition: "checkout", status: "running", steps, created_at: at, updated_at: at };
  return { ...saga, returns: [], ...part };
}
