import type { Schemas } from "@/api/client";

/** A saga as the back office shows it. */
export type Saga = Schemas["SagaView"];
/** The outcome that an operator records for a parked step. */
export type Outcome = Schemas["Resolution"];

/** The actions that the state of a saga allows. The orders service checks again when an action is requested. */
export interface Actions {
  readonly canRetry: boolean;
  readonly canCompensate: boolean;
  /** The outcomes to choose from for a parked step; empty if the saga is not parked. */
  readonly outcomes: readonly Outcome[];
}

/** Whether a saga has ended. */
export function hasEnded({ status }: { status: string }): boolean {
  return status === "completed" || status === "compensated";
}

/** Returns the actions that an operator can take on a saga. */
export function actionsFor(saga: Pick<Saga, "status" | "steps">): Actions {
  const { status, steps } = saga;
  if (hasEnded(saga)) return { canRetry: false, canCompensate: false, outcomes: [] };
  const at = steps.findLastIndex(({ state }) => state === "running" || state === "parked");
  const pivot = steps.findIndex((step) => step.pivot);
  // Forward steps are listed in the order of the saga.
  const isForward = steps[at]?.direction === "do";
  const canGoBack = isForward && at <= pivot;
  return {
    canRetry: true,
    canCompensate: isForward && at < pivot,
    outcomes: status === "parked" ? (canGoBack ? ["done", "refused"] : ["done"]) : [],
  };
}
