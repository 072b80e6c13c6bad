import type { Locale } from "@/i18n";
import type { Tone } from "@/ui/badge";

import type { Saga, Step } from "./api";
import { texts } from "./narrateTexts";

/** What a saga does, or what came of it, at a glance and in a sentence. */
export interface Narration {
  readonly title: string;
  readonly text: string;
  readonly tone: Tone;
  /** Whether it goes on by itself. */
  readonly isMoving: boolean;
}

/** A step's plain name. */
export function nameOf({ name, direction }: Pick<Step, "name" | "direction">, locale: Locale): string {
  return textsOf(name, direction, locale)?.name ?? name;
}

/** One step, in a sentence. */
export function sentenceOf({ name, direction, state }: Pick<Step, "name" | "direction" | "state">, count: number, locale: Locale): string {
  const t = texts[locale];
  const step = textsOf(name, direction, locale);
  if (state === "pending" || state === "skipped" || state === "parked" || !step) {
    const said = state === "pending" || state === "skipped" || state === "parked" ? t.generic[state] : t.generic.pending;
    return said(step?.name ?? name);
  }
  return step[state](t.pieces(count));
}

/** Why a step went as it did, in the reader's language where its reason is known. */
export function reasonOf({ reason, detail, actor }: Pick<Step, "reason" | "detail" | "actor">, locale: Locale): string | undefined {
  // What an operator wrote, and what a shopper wrote on cancelling, is said as it is.
  if (actor) return reason ?? undefined;
  if (reason === "cancelled" && detail) return detail;
  return (reason && texts[locale].reasons[reason]) ?? detail ?? reason ?? undefined;
}

/** A whole saga of an order of so many pieces. */
export function narrate(saga: Pick<Saga, "definition" | "status" | "steps">, count: number, locale: Locale): Narration {
  const t = texts[locale];
  const pieces = t.pieces(count);
  const isReturn = saga.definition === "return";
  const forward = saga.steps.filter(({ direction }) => direction === "do");
  const undoing = saga.steps.filter(({ direction }) => direction === "undo");
  const cause = forward.find(({ state }) => state === "refused" || state === "silent");

  switch (saga.status) {
    case "completed":
      return {
        title: isReturn ? t.titles.returned : t.titles.completed,
        text: isReturn ? t.returned(pieces, t.are(count)) : t.completed(pieces, t.are(count)),
        tone: "good",
        isMoving: false,
      };
    case "compensated": {
      const held = undoing.some(({ name, state }) => name === "reserve_stock" && state === "done");
      const text = isReturn ? t.refundRefused : held ? t.backInStock(pieces, t.are(count)) : t.nothingHeld;
      return { title: isReturn ? t.titles.refundRefused : titleOf(cause, locale), text, tone: toneOf(cause), isMoving: false };
    }
    case "compensating": {
      const index = undoing.findIndex(({ state }) => state === "running");
      const step = undoing[index];
      const text = step ? `${sentenceOf(step, count, locale)}${again(step, locale)}` : t.goingBack;
      return { title: titleOf(cause, locale), text, tone: "waiting", isMoving: true };
    }
    case "parked": {
      const step = saga.steps.find(({ state }) => state === "parked");
      return { title: t.titles.parked, text: t.parked(step ? sentenceOf(step, count, locale) : ""), tone: "bad", isMoving: false };
    }
    default: {
      const step = forward.find(({ state }) => state === "running");
      const text = step ? `${sentenceOf(step, count, locale)}${again(step, locale)}` : t.starting;
      return { title: isReturn ? t.titles.returning : t.titles.running, text, tone: "waiting", isMoving: true };
    }
  }
}

function textsOf(name: string, direction: string, locale: Locale) {
  const { steps } = texts[locale];
  return direction === "undo" ? steps.undo[name] : steps.do[name];
}

function again({ attempts }: Step, locale: Locale): string {
  return attempts > 1 ? ` ${texts[locale].attempt(attempts)}` : "";
}

/** What made a checkout go back, in two or three words. */
function titleOf(cause: Step | undefined, locale: Locale): string {
  const { titles } = texts[locale];
  if (!cause) return titles.undone;
  if (cause.actor) return titles.stopped;
  if (cause.reason === "cancelled") return titles.cancelled;
  if (cause.state === "silent") return titles.timeout;
  switch (cause.name) {
    case "reserve_stock":
      return titles.outOfStock;
    case "authorize_payment":
      return titles.declined;
    case "capture_payment":
      return titles.captureRefused;
    case "pin_stock":
      return titles.expired;
    default:
      return titles.undone;
  }
}

/** A shopper's own cancellation is nothing bad. */
function toneOf(cause: Step | undefined): Tone {
  return cause?.reason === "cancelled" ? "neutral" : "bad";
}
