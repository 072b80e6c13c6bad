import { useEffect, useRef, useState } from "react";

import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Button } from "@/ui/button";
import { classes } from "@/ui/classes";
import { announce } from "@/ui/live";

import type { Order, Saga } from "./api";
import { messages } from "./messages";
import { type Narration, narrate, reasonOf } from "./narrate";
import { momentsOf, sagaAt } from "./replay";
import { SagaSteps } from "./sagaSteps";

const grounds: Record<Narration["tone"], string> = {
  good: "bg-leaf-soft text-leaf",
  waiting: "bg-saffron-soft text-saffron",
  bad: "bg-clay-soft text-clay",
  info: "bg-sky-soft text-sky",
  neutral: "bg-raised text-ink",
};
const signs: Record<Narration["tone"], string> = { good: "✓", waiting: "◔", bad: "✕", info: "→", neutral: "↩" };
/** A sentence that stands shorter than this is not read aloud: a checkout has more of them than anyone can hear. */
const SETTLED = 500;
/** How long each moment is shown when a saga is watched again. */
const SLOWLY = 1100;

interface Props {
  saga: Saga;
  /** How many pieces it is about. */
  count: number;
  /** How the order stands. */
  order?: Order["status"];
  isCompact?: boolean;
}

/** A saga: what happens now, or what came of it, and every step of the way. */
export function SagaView({ saga, count, order, isCompact = false }: Props) {
  const t = useMessages(messages);
  const { locale } = useFormat();
  const replay = useReplay(saga);
  const shown = replay.shown ?? saga;
  const narration = narrate(shown, count, locale, replay.shown ? undefined : order);
  useAnnounced(narration, saga.definition === "checkout" || narration.isMoving);
  const canReplay = !isCompact && (saga.status === "completed" || saga.status === "compensated");
  return (
    <div className="grid gap-5">
      <div className={classes("flex flex-wrap items-center gap-x-4 gap-y-3 rounded-2xl px-5 py-4 transition-colors duration-300", grounds[narration.tone])}>
        <span
          aria-hidden
          className={classes(
            "grid size-10 shrink-0 place-items-center rounded-full border-2 border-current text-lg font-bold",
            narration.isMoving && "animate-pulse",
          )}
        >
          {shown.status === "parked" ? "‖" : signs[narration.tone]}
        </span>
        <div className="grid min-w-0 flex-1 basis-48">
          <p className="font-display text-xl font-semibold">{narration.title}</p>
          <p className="text-ink">{narration.text}</p>
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

function useAnnounced({ title, text }: Narration, isNews: boolean): void {
  const wasNews = useRef(isNews);
  useEffect(() => {
    // A return that was over long before is there to be read; one that ends now is told.
    if (!isNews && !wasNews.current) return;
    wasNews.current = isNews;
    const timer = setTimeout(() => announce(`${title}. ${text}`), SETTLED);
    return () => clearTimeout(timer);
  }, [title, text, isNews]);
}

/** A checkout takes a tenth of a second. This shows it again, at a pace that can be followed. */
function useReplay(saga: Saga) {
  const [index, setIndex] = useState<number>();
  const moments = momentsOf(saga);
  const moment = index === undefined ? undefined : moments[index];
  useEffect(() => {
    if (index === undefined) return;
    const timer = setTimeout(() => setIndex(index + 1 < moments.length ? index + 1 : undefined), SLOWLY);
    return () => clearTimeout(timer);
  }, [index, moments.length]);
  return {
    shown: moment === undefined ? undefined : sagaAt(saga, moment),
    toggle: () => setIndex(index === undefined ? 0 : undefined),
  };
}
