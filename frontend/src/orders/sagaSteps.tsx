import type { CSSProperties } from "react";

import { useMessages } from "@/i18n";
import { classes } from "@/ui/classes";

import type { Saga, Step } from "./api";
import { layOut, type Line, type Place } from "./lanes";
import { messages } from "./messages";
import { texts } from "./sagaTexts";
import { StepCard } from "./stepCard";

interface Props {
  saga: Saga;
  /** The number of items in the order. */
  count: number;
  /** Uses one lane for all services and shows only names and states. */
  isCompact?: boolean;
}

/**
 * The steps of a saga, as swimlanes on wide screens and as a list on narrow ones. Both are one ordered list in the DOM, so
 * that screen readers announce the steps in the order of the saga.
 */
export function SagaSteps({ saga, count, isCompact = false }: Props) {
  const t = useMessages(messages);
  const words = useMessages(texts);
  const layout = layOut(saga, isCompact);
  const head = isCompact ? "0px" : "7rem";
  const heights = Array.from({ length: layout.rows }, (_, row) =>
    Math.max(...layout.places.filter((place) => place.row === row).map(({ step }) => heightOf(step, isCompact))),
  );
  const style = {
    "--columns": `${head} repeat(${layout.columns}, minmax(0, 1fr))`,
    "--rows": `1.75rem ${heights.map((height) => `${height}rem`).join(" ")}`,
  } as CSSProperties;
  const { pivot } = layout;
  return (
    <div className="@container">
      <div className="relative isolate @4xl:grid @4xl:[grid-template-columns:var(--columns)] @4xl:[grid-template-rows:var(--rows)]" style={style}>
        {!isCompact &&
          layout.lanes.map(({ service, row, rows }) => (
            <div
              key={service}
              aria-hidden
              style={{ gridRow: `${row + 2} / span ${rows}` }}
              className="col-span-full -z-20 hidden border-t border-line py-3 last-of-type:border-b @4xl:block"
            >
              <span className="text-xs font-semibold tracking-wide text-muted uppercase">{words.services[service] ?? service}</span>
            </div>
          ))}
        <svg
          aria-hidden
          viewBox={`0 0 ${layout.columns} ${sum(heights)}`}
          preserveAspectRatio="none"
          style={{ gridColumn: "2 / -1", gridRow: "2 / -1" }}
          className="-z-10 hidden size-full overflow-visible @4xl:block"
        >
          {layout.lines.map((line) => (
            <path
              key={`${line.kind} ${line.to.step.direction} ${line.to.step.name}`}
              d={pathOf(line, heights)}
              vectorEffect="non-scaling-stroke"
              className={classes(
                "fill-none stroke-2",
                !line.isTaken && "stroke-line [stroke-dasharray:4_5]",
                line.isTaken && (line.kind === "forward" ? "stroke-leaf" : "stroke-sky"),
                line.isTaken && line.kind === "join" && "[stroke-dasharray:2_4]",
              )}
            />
          ))}
        </svg>
        {pivot !== undefined && (
          <div
            aria-hidden
            style={{ gridColumn: pivot + 3, gridRow: "1 / -1" }}
            className="pointer-events-none relative -z-10 hidden @4xl:block"
          >
            <span className="absolute inset-y-0 left-0 border-l-2 border-dashed border-clay/60" />
            <span className="absolute top-0 left-2 text-xs font-semibold whitespace-nowrap text-clay">{t.pivot} →</span>
          </div>
        )}
        <ol className="grid gap-2 @4xl:contents" aria-label={t.steps}>
          {layout.places.map(({ step, column, row }) => (
            <li
              key={`${step.direction} ${step.name}`}
              style={{ "--column": column + 2, "--row": row + 2 } as CSSProperties}
              className={classes(
                "grid gap-2 @4xl:relative @4xl:[grid-column:var(--column)] @4xl:[grid-row:var(--row)] @4xl:px-4 @4xl:py-2",
                step.direction === "undo" && "ml-6 @4xl:ml-0",
              )}
            >
              {layout.lines.some(({ kind, to, isTaken }) => isTaken && kind !== "join" && to.step === step) && <ArrowHead step={step} />}
              <StepCard step={step} count={count} isCompact={isCompact} />
              {step.pivot && (
                <p className="flex items-center gap-2 text-xs font-semibold text-clay after:h-px after:flex-1 after:border-t-2 after:border-dashed after:border-clay/60 @4xl:sr-only">
                  {t.pivot}
                </p>
              )}
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}

/** The head of the arrow that leads to a step: from the left, or from the right for a compensation. */
function ArrowHead({ step }: { step: Step }) {
  return (
    <span
      aria-hidden
      className={classes(
        "absolute top-1/2 hidden -translate-y-1/2 border-y-[5px] border-y-transparent @4xl:block",
        step.direction === "do" ? "left-2 border-l-8 border-l-leaf" : "right-2 border-r-8 border-r-sky",
      )}
    />
  );
}

/** The distance between the edge of a cell and its card, as a fraction of the column. */
const EDGE = 0.09;

/** Returns the height of a step's card in rem. It is calculated here, because the lines depend on it. */
function heightOf({ service, attempts, reason }: Step, isCompact: boolean): number {
  const base = (isCompact ? 5.75 : 6.5) + (attempts > 1 ? 1 : 0);
  return isCompact ? base : base + (service === "orders" ? 0 : 1.75) + (reason ? 2.25 : 0);
}

function sum(heights: readonly number[]): number {
  return heights.reduce((all, height) => all + height, 0);
}

/** Returns the SVG path of a line. One unit is a column horizontally and 1 rem vertically. */
function pathOf({ kind, from, to }: Line, heights: readonly number[]): string {
  const y = ({ row }: Place, part: number) => sum(heights.slice(0, row)) + (heights[row] ?? 0) * part;
  const [fromY, toY] = [y(from, 0.5), y(to, 0.5)];
  if (kind === "join") return `M ${to.column + 0.5} ${y(from, 0.9)} V ${y(to, 0.1)}`;
  if (kind === "turn") {
    const end = to.column + 1 - EDGE;
    // Starts at the bottom of the refused step if it is above; otherwise at its left side, below the incoming line.
    if (to.row > from.row) return `M ${from.column + 0.5} ${y(from, 0.9)} Q ${from.column + 0.5} ${toY} ${end} ${toY}`;
    const [start, startY] = [from.column + EDGE, y(from, 0.75)];
    return `M ${start} ${startY} C ${(start + end) / 2} ${startY}, ${(start + end) / 2} ${toY}, ${end} ${toY}`;
  }
  const isForward = kind === "forward";
  const start = from.column + (isForward ? 1 - EDGE : EDGE);
  const end = to.column + (isForward ? EDGE : 1 - EDGE);
  const bend = (start + end) / 2;
  return `M ${start} ${fromY} C ${bend} ${fromY}, ${bend} ${toY}, ${end} ${toY}`;
}
