import { useEffect, useRef, useState } from "react";

import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Button } from "@/ui/button";
import { classes } from "@/ui/classes";
import { announce } from "@/ui/live";

import type { Order, Saga } from "./api";
import { type SagaDescription, describeSaga, reasonOf } from "./describeSaga";
import { messages } from "./messages";
import { momentsOf, sagaAt } from "./replay";
import { SagaSteps } from "./sagaSteps";

const backgrounds: Record<SagaDescription["tone"], string> = {
  good: "bg-leaf-soft text-leaf",
  waiting: "bg-saffron-soft text-saffron",
  bad: "bg-clay-soft text-clay",
  info: "bg-sky-soft text-sky",
  neutral: "bg-raised text-ink",
};
const signs: Record<SagaDescription["tone"], string> = { good: "✓", waiting: "◔", bad: "✕", info: "→", neutral: "↩" };
/** A text is announced to screen readers after this many milliseconds, because a checkout changes too fast for each text. */
const ANNOUNCE_AFTER = 500;
/** Milliseconds for each state in a replay. */
const REPLAY_INTERVAL = 1100;

interface Props {
  saga: Saga;
  /** The number of items in the order. */
  count: number;
  /** The current status of the order. */
  order?: Order["status"];
  isCompact?: boolean;
}

/** A saga: a summary of its current state or outcome, and all steps. */
export function SagaView({ saga, count, order, isCompact = false }: Props) {
  const t = useMessages(messages);
  const { locale } = useFormat();
  const replay = useReplay(saga);
  const shown = replay.shown ?? saga;
  const description = describeSaga(shown, count, locale, replay.shown ? undefined : order);
  useAnnounced(description, saga.definition === "checkout" || description.isActive);
  const canReplay = !isCompact && (saga.status === "completed" || saga.status === "compensated");
  return (
    <div className="grid gap-5">
      <div className={classes("flex flex-wrap items-center gap-x-4 gap-y-3 rounded-2xl px-5 py-4 transition-colors duration-300", backgrounds[description.tone])}>
        <span
          aria-hidden
          className={classes(
            "grid size-10 shrink-0 place-items-center rounded-full border-2 border-current text-lg font-bold",
            description.isActive && "animate-pulse",
          )}
        >
          {shown.status === "parked" ? "‖" : signs[description.tone]}
        </span>
        <div className="grid min-w-0 flex-1 basis-48">
          <p className="font-display text-xl font-semibold">{description.title}</p>
          <p className="text-ink">{description.text}</p>
          {shown.status === "parked" && saga.parked_reason && (
            <p className="mt-1 text-sm text-ink">
              {t.parkedBecause} {reasonOf({ reason: saga.parked_reason }, locale)}
            </p>
          )}
        </div>
        {canReplay && (
          <Button onClick={replay.toggle}>
            <span aria-hidden>{replay.shown ? "■" : "▶"}</span>
            {replay.shown ? t.stopReplay : t.replay}
          </Button>
        )}
      </div>
      <SagaSteps saga={shown} count={count} isCompact={isCompact} />
    </div>
  );
}

function useAnnounced({ title, text }: SagaDescription, isRelevant: boolean): void {
  const wasRelevant = useRef(isRelevant);
  useEffect(() => {
    // A return that had ended before the page was opened is not announced.
    if (!isRelevant && !wasRelevant.current) return;
    wasRelevant.current = isRelevant;
    const timer = setTimeout(() => announce(`${title}. ${text}`), ANNOUNCE_AFTER);
    return () => clearTimeout(timer);
  }, [title, text, isRelevant]);
}

/** Replays a saga in slow motion, because a checkout takes only a tenth of a second. */
function useReplay(saga: Saga) {
  const [index, setIndex] = useState<number>();
  const moments = momentsOf(saga);
  const moment = index === undefined ? undefined : moments[index];
  useEffect(() => {
    if (index === undefined) return;
    const timer = setTimeout(() => setIndex(index + 1 < moments.length ? index + 1 : undefined), REPLAY_INTERVAL);
    return () => clearTimeout(timer);
  }, [index, moments.length]);
  return {
    shown: moment === undefined ? undefined : sagaAt(saga, moment),
    toggle: () => setIndex(index === undefined ? 0 : undefined),
  };
}
