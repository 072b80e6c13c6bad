import type { Saga, Step } from "./api";

/** The position of a step in the diagram. */
export interface Place {
  readonly step: Step;
  /** Zero-based position in the order of the saga. A compensation has the column of the step that it undoes. */
  readonly column: number;
  /** Zero-based row, counted over all lanes. */
  readonly row: number;
}

/** A line between two steps, or (`join`) from a step to its compensation. */
export interface Line {
  readonly kind: "forward" | "turn" | "back" | "join";
  readonly from: Place;
  readonly to: Place;
  /** Whether the saga has taken this path. */
  readonly isTaken: boolean;
}

/** The positions of all lanes, steps and lines of the diagram. */
export interface Layout {
  readonly lanes: readonly { service: string; row: number; rows: number }[];
  readonly columns: number;
  readonly rows: number;
  readonly places: readonly Place[];
  readonly lines: readonly Line[];
  /** The column of the pivot, after which nothing is undone; undefined if the saga has none. */
  readonly pivot: number | undefined;
}

/** The order of the lanes, from top to bottom. */
const SERVICE_ORDER = ["orders", "inventory", "payments"];

/**
 * Lays out a saga's steps in swimlanes, one for each service. Forward steps run to the right; each compensation is below its
 * step, so that compensations run to the left. `isOneLane` puts all services into one lane.
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

  const lines: Line[] = pairs(done).map(([from, to]) => ({ kind: "forward", from, to, isTaken: hasStarted(to) }));
  const last = done.findLast(hasStarted);
  const first = undone[0];
  if (last && first && last.column !== first.column) {
    lines.push({ kind: "turn", from: last, to: first, isTaken: hasStarted(first) });
  }
  for (const [from, to] of pairs(undone)) lines.push({ kind: "back", from, to, isTaken: hasStarted(to) });
  for (const to of undone) {
    const from = done[to.column];
    if (from) lines.push({ kind: "join", from, to, isTaken: hasStarted(to) });
  }

  const pivot = forward.findIndex((step) => step.pivot);
  return { lanes, columns: forward.length, rows, places: [...done, ...undone], lines, pivot: pivot < 0 ? undefined : pivot };
}

function hasStarted({ step }: Place): boolean {
  return step.state !== "pending" && step.state !== "skipped";
}

function rank(service: string): number {
  const known = SERVICE_ORDER.indexOf(service);
  return known < 0 ? SERVICE_ORDER.length : known;
}

function pairs<T>(items: readonly T[]): [T, T][] {
  return items.slice(1).flatMap((item, index): [T, T][] => {
    const before = items[index];
    return before === undefined ? [] : [[before, item]];
  });
}
