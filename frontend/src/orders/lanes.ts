import type { Saga, Step } from "./api";

/** Where a step stands in the picture. */
export interface Place {
  readonly step: Step;
  /** From 0: the order in which the saga runs. An undo stands under the step it undoes. */
  readonly column: number;
  /** From 0, over all lanes. */
  readonly row: number;
}

/** From one place to another, or from a step down to its undo. */
export interface Line {
  readonly kind: "forward" | "turn" | "back" | "join";
  readonly from: Place;
  readonly to: Place;
  /** Whether the saga went this way. */
  readonly isTaken: boolean;
}

export interface Layout {
  readonly lanes: readonly { service: string; row: number; rows: number }[];
  readonly columns: number;
  readonly rows: number;
  readonly places: readonly Place[];
  readonly lines: readonly Line[];
  /** The column after which there is no way back; none where every step may be undone. */
  readonly pivot: number | undefined;
}

const ORDER = ["orders", "inventory", "payments"];

/**
 * Puts a saga's steps into swimlanes: a lane a service, forward steps to the right in their order, and each undo right
 * under its step, so that undoing runs to the left. `isOneLane` puts all services into one.
 */
export function layOut(saga: Pick<Saga, "steps">, isOneLane = false): Layout {
  const forward = saga.steps.filter(({ direction }) => direction === "do");
  const back = saga.steps.filter(({ direction }) => direction === "undo");
  const laneOf = (step: Step) => (isOneLane ? "" : step.service);
  const services = [...new Set(forward.map(laneOf))].toSorted((a, b) => rank(a) - rank(b));

  let rows = 0;
  const lanes = services.map((service) => {
    const row = rows;
    const own = back.some((step) => laneOf(step) === service) ? 2 : 1;
    rows += own;
    return { service, row, rows: own };
  });
  const rowOf = (step: Step) => lanes.find(({ service }) => service === laneOf(step))?.row ?? 0;
  const done = forward.map((step, column): Place => ({ step, column, row: rowOf(step) }));
  const undone = back.map(
    (step): Place => ({ step, column: forward.findIndex(({ name }) => name === step.name), row: rowOf(step) + 1 }),
  );

  const lines: Line[] = pairs(done).map(([from, to]) => ({ kind: "forward", from, to, isTaken: hasBegun(to) }));
  const last = done.findLast(hasBegun);
  const first = undone[0];
  if (last && first && last.column !== first.column) {
    lines.push({ kind: "turn", from: last, to: first, isTaken: hasBegun(first) });
  }
  for (const [from, to] of pairs(undone)) lines.push({ kind: "back", from, to, isTaken: hasBegun(to) });
  for (const to of undone) {
    const from = done[to.column];
    if (from) lines.push({ kind: "join", from, to, isTaken: hasBegun(to) });
  }

  const pivot = forward.findIndex((step) => step.pivot);
  return { lanes, columns: forward.length, rows, places: [...done, ...undone], lines, pivot: pivot < 0 ? undefined : pivot };
}

function hasBegun({ step }: Place): boolean {
  return step.state !== "pending" && step.state !== "skipped";
}

function rank(service: string): number {
  const known = ORDER.indexOf(service);
  return known < 0 ? ORDER.length : known;
}

function pairs<T>(items: readonly T[]): [T, T][] {
  return items.slice(1).flatMap((item, index): [T, T][] => {
    const before = items[index];
    return before === undefined ? [] : [[before, item]];
  });
}
