import { useEffect, useState } from "react";

import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { classes } from "@/ui/classes";

import type { Step } from "./api";
import { Copy } from "./copy";
import { nameOf, reasonOf, sentenceOf, type DisplayState, displayStateOf } from "./describeSaga";
import { messages } from "./messages";
import { texts } from "./sagaTexts";

const looks: Record<DisplayState, string> = {
  pending: "border-dashed border-line bg-surface text-muted",
  running: "border-saffron bg-saffron-soft text-ink ring-4 ring-saffron/20",
  done: "border-leaf/50 bg-leaf-soft text-ink",
  refused: "border-clay bg-clay-soft text-ink",
  silent: "border-clay border-dashed bg-clay-soft text-ink",
  parked: "border-2 border-clay bg-surface text-ink",
  skipped: "border-dashed border-line bg-surface text-muted",
  stopped: "border-edge bg-raised text-ink",
};
const colours: Record<DisplayState, string> = {
  pending: "text-muted",
  running: "text-saffron",
  done: "text-leaf",
  refused: "text-clay",
  silent: "text-clay",
  parked: "text-clay",
  skipped: "text-muted",
  stopped: "text-ink",
};
const signs: Record<DisplayState, string> = { pending: "○", running: "◔", done: "✓", refused: "✕", silent: "?", parked: "‖", skipped: "–", stopped: "■" };

/** A card for a step of a saga in one direction. */
export function StepCard({ step, count, isCompact }: { step: Step; count: number; isCompact: boolean }) {
  const t = useMessages(messages);
  const words = useMessages(texts);
  const { locale } = useFormat();
  const isUndo = step.direction === "undo";
  const reason = reasonOf(step, locale);
  const state = displayStateOf(step);
  const isUndone = isUndo && state === "done";
  return (
    <div
      className={classes(
        "relative grid content-start gap-1 rounded-xl border px-2.5 py-2 text-sm transition-colors duration-300",
        isUndone ? "border-sky/50 bg-sky-soft text-ink" : looks[state],
        "@4xl:h-full",
      )}
      title={sentenceOf(step, count, locale)}
    >
      {step.state === "running" && (
        <span aria-hidden className="absolute -top-1 -right-1 size-3 animate-pulse rounded-full bg-saffron" />
      )}
      <p className="leading-snug font-semibold hyphens-auto break-words">
        {isUndo && (
          <span className="text-sky">
            <span aria-hidden>↩ </span>
            <span className="sr-only">{t.undo}: </span>
          </span>
        )}
        {nameOf(step, locale)}
      </p>
      <p className={classes("flex flex-wrap items-baseline gap-x-2 text-xs", isUndone ? "text-sky" : colours[state])}>
        <span className="font-semibold">
          <span aria-hidden>{signs[state]} </span>
          {isUndone ? t.undone : words.states[state]}
        </span>
        <Duration step={step} />
        {step.attempts > 1 && <span className="font-semibold">{t.attempts(step.attempts)}</span>}
      </p>
      {reason && !isCompact && <p className="line-clamp-2 text-xs">{reason}</p>}
      {!isCompact && <p className="text-xs text-muted @4xl:sr-only">{words.services[step.service] ?? step.service}</p>}
      {!isCompact && step.command_id && (
        <div className="mt-auto">
          <Copy text={step.command_id} label={t.commandId} shown={`#${step.command_id.slice(0, 8)}`} />
        </div>
      )}
    </div>
  );
}

/** The duration of a step, or the time since it started. */
function Duration({ step: { started_at, finished_at, state } }: { step: Step }) {
  const format = useFormat();
  const isRunning = state === "running";
  const now = useNow(isRunning);
  // Steps of the orders service itself start and finish at the same time.
  if (!started_at || (!isRunning && (!finished_at || finished_at === started_at))) return null;
  const duration = (finished_at && !isRunning ? Date.parse(finished_at) : now) - Date.parse(started_at);
  return <span className="num whitespace-nowrap">{format.duration(Math.max(0, duration))}</span>;
}

function useNow(isTicking: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isTicking) return;
    const timer = setInterval(() => setNow(Date.now()), 200);
    return () => clearInterval(timer);
  }, [isTicking]);
  return now;
}
