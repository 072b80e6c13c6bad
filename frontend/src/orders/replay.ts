import { isLater, type Saga, type Step } from "./api";

/** Returns the distinct times at which a step of the saga started or finished, in order. */
export function momentsOf({ steps }: Pick<Saga, "steps">): readonly string[] {
  const times = steps.flatMap(({ started_at, finished_at }) => [started_at, finished_at]).filter((time) => typeof time === "string");
  return [...new Set(times)].toSorted((a, b) => (isLater(a, b) ? 1 : -1));
}

/** Reconstructs the state of a finished saga right after the given time, for a replay. */
export function sagaAt(saga: Saga, moment: string): Saga {
  const isPast = (time: string | null | undefined) => typeof time === "string" && !isLater(time, moment);
  const isUndoing = saga.steps.some(({ direction, started_at }) => direction === "undo" && isPast(started_at));
  const steps = saga.steps
    .filter(({ direction }) => direction === "do" || isUndoing)
    .map((step): Step => {
      if (isPast(step.finished_at)) return step;
      if (isPast(step.started_at)) return { ...step, state: "running", finished_at: null, reason: null, detail: null, attempts: 1 };
      if (step.state === "skipped" && isUndoing) return step;
      return { ...step, state: "pending", attempts: 0, started_at: null, finished_at: null, reason: null, detail: null };
    });
  const isOver = momentsOf(saga).at(-1) === moment;
  return { ...saga, steps, status: isOver ? saga.status : isUndoing ? "compensating" : "running" };
}
