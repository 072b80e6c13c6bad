import type { Schemas } from "@/api/client";

export type Saga = Schemas["SagaView"];
export type Outcome = Schemas["Resolution"];

/** What an operator may do to a saga now. The engine decides again when it is asked. */
export interface Actions {
  readonly canRetry: boolean;
  readonly canCompensate: boolean;
  /** How a parked step may be said to have ended; none where it is not parked. */
  readonly outcomes: readonly Outcome[];
}

export function isOver({ status }: { status: string }): boolean {
  return status === "completed" || status === "compensated";
}

export function actionsFor(saga: Pick<Saga, "status" | "steps">): Actions {
  const { status, steps } = saga;
  if (isOver(saga)) return { canRetry: false, canCompensate: false, outcomes: [] };
  const at = steps.findLastIndex(({ state }) => state === "running" || state === "parked");
  const pivot = steps.findIndex((step) => step.pivot);
  // Going forward the steps stand in the saga's order.
  const isForward = steps[at]?.direction === "do";
  const canGoBack = isForward && at <= pivot;
  return {
    canRetry: true,
    canCompensate: isForward && at < pivot,
    outcomes: status === "parked" ? (canGoBack ? ["done", "refused"] : ["done"]) : [],
  };
}
