import type { Locale } from "@/i18n";
import type { Tone } from "@/ui/badge";

import { type Order, pieces, type Saga, type Step } from "./api";
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

/** How a step stands, in the words of people: one that somebody stopped did not fail to answer. */
export type Standing = Step["state"] | "stopped";

export function standingOf({ state, reason, actor }: Pick<Step, "state" | "reason" | "actor">): Standing {
  return state === "silent" && (actor || reason === "cancelled") ? "stopped" : state;
}

type Said = Pick<Step, "name" | "direction" | "state" | "reason" | "actor">;

/** One step, in a sentence. */
export function sentenceOf(step: Said, count: number, locale: Locale): string {
  const t = texts[locale];
  const own = textsOf(step.name, step.direction, locale);
  const standing = standingOf(step);
  switch (standing) {
    case "pending":
    case "skipped":
    case "parked":
    case "stopped":
      return t.generic[standing](own?.name ?? step.name);
    default:
      return own ? own[standing](t.pieces(count)) : `${step.name}.`;
  }
}

/** Why a step went as it did, in the reader's language where its reason is known. */
export function reasonOf({ reason, detail, actor }: Pick<Step, "reason" | "detail" | "actor">, locale: Locale): string | undefined {
  // What an operator wrote, and what a shopper wrote on cancelling, is said as it is.
  if (actor) return reason ?? undefined;
  if (reason === "cancelled" && detail) return detail;
  return (reason && texts[locale].reasons[reason]) ?? detail ?? reason ?? undefined;
}

/** A whole saga of an order of so many pieces. */
export function narrate(
  saga: Pick<Saga, "definition" | "status" | "steps">,
  count: number,
  locale: Locale,
  /** How the order stands by now, for a checkout that is over. */
  order: Order["status"] = "confirmed",
): Narration {
  const t = texts[locale];
  const items = t.pieces(count);
  const isReturn = saga.definition === "return";
  const forward = saga.steps.filter(({ direction }) => direction === "do");
  const undoing = saga.steps.filter(({ direction }) => direction === "undo");
  const cause = forward.find(({ state }) => state === "refused" || state === "silent");

  switch (saga.status) {
    case "completed":
      return {
        title: isReturn ? t.titles.returned : t.titles.completed,
        text: isReturn ? t.returned(items, t.are(count)) : (t.completed[order] ?? t.completed.confirmed)(items),
        tone: "good",
        isMoving: false,
      };
    case "compensated": {
      const held = undoing.some(({ name, state }) => name === "reserve_stock" && state === "done");
      const text = isReturn ? t.refundRefused : held ? t.backInStock(items, t.are(count)) : t.nothingHeld;
      return { title: isReturn ? t.titles.refundRefused : titleOf(cause, locale), text, tone: toneOf(cause), isMoving: false };
    }
    case "compensating": {
      const index = undoing.findIndex(({ state }) => state === "running");
      const step = undoing[index];
      const text = step ? `${sentenceOf(step, count, locale)}${again(step, locale)}` : t.goingBack;
      return { title: titleOf(cause, locale), text, tone: "waiting", isMoving: true };
    }
    case "parked": {
      // What is parked from outside, by a message that nobody could handle, still awaits its answer.
      const step = saga.steps.find(({ state }) => state === "parked") ?? saga.steps.findLast(({ state }) => state === "running");
      return { title: t.titles.parked, text: t.parked(step ? nameOf(step, locale) : t.unknownStep), tone: "bad", isMoving: false };
    }
    default: {
      const step = forward.find(({ state }) => state === "running");
      const text = step ? `${sentenceOf(step, count, locale)}${again(step, locale)}` : t.starting;
      return { title: isReturn ? t.titles.returning : t.titles.running, text, tone: "waiting", isMoving: true };
    }
  }
}

type Return = Pick<Order["returns"][number], "status" | "items" | "needs_receipt" | "refusal_reason">;

/** A return by its status: before an operator has decided about it there is no saga to tell of. */
export function narrateReturn({ status, items, needs_receipt, refusal_reason }: Return, locale: Locale): Narration {
  const { titles, returnWaits, returnRefusedBecause } = texts[locale];
  if (status === "requested" && needs_receipt) {
    return { title: titles.returnWaits, text: returnWaits, tone: "waiting", isMoving: false };
  }
  if (status === "refused" && refusal_reason) {
    return { title: titles.returnRefused, text: returnRefusedBecause(refusal_reason), tone: "bad", isMoving: false };
  }
  const sagas: Record<typeof status, Pick<Saga, "status" | "steps">> = {
    requested: { status: "running", steps: [running("refund_payment")] },
    received: { status: "running", steps: [running("refund_payment")] },
    refunded: { status: "running", steps: [running("restock_items")] },
    completed: { status: "completed", steps: [] },
    refused: { status: "compensated", steps: [] },
  };
  return narrate({ definition: "return", ...sagas[status] }, pieces(items), locale);
}

function running(name: string): Step {
  return { name, direction: "do", service: "", pivot: false, state: "running", attempts: 1 };
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
