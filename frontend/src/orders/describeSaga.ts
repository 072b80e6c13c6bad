import type { Locale } from "@/i18n";
import type { Tone } from "@/ui/badge";

import { type Order, countItems, type Saga, type Step } from "./api";
import { texts } from "./sagaTexts";

/** The current state or the outcome of a saga, in words. */
export interface SagaDescription {
  /** A headline of a few words. */
  readonly title: string;
  /** One or two whole sentences. */
  readonly text: string;
  readonly tone: Tone;
  /** Whether the saga is running, without waiting for a person. */
  readonly isActive: boolean;
}

/** Returns the name of a step in the given language, or its technical name if there is no text for it. */
export function nameOf({ name, direction }: Pick<Step, "name" | "direction">, locale: Locale): string {
  return textsOf(name, direction, locale)?.name ?? name;
}

/** The state to display. A step that a person stopped is not shown as one that did not respond. */
export type DisplayState = Step["state"] | "stopped";

/** Returns the state to display for a step. */
export function displayStateOf({ state, reason, actor }: Pick<Step, "state" | "reason" | "actor">): DisplayState {
  return state === "silent" && (actor || reason === "cancelled") ? "stopped" : state;
}

type DescribedStep = Pick<Step, "name" | "direction" | "state" | "reason" | "actor">;

/** Describes a step in one sentence; `count` is the number of items in the order. */
export function sentenceOf(step: DescribedStep, count: number, locale: Locale): string {
  const t = texts[locale];
  const own = textsOf(step.name, step.direction, locale);
  const state = displayStateOf(step);
  switch (state) {
    case "pending":
    case "skipped":
    case "parked":
    case "stopped":
      return t.generic[state](own?.name ?? step.name);
    default:
      return own ? own[state](t.items(count)) : `${step.name}.`;
  }
}

/** Returns the reason for the outcome of a step, translated if the reason code is known. */
export function reasonOf({ reason, detail, actor }: Pick<Step, "reason" | "detail" | "actor">, locale: Locale): string | undefined {
  // Text that an operator or a cancelling shopper has entered is shown unchanged.
  if (actor) return reason ?? undefined;
  if (reason === "cancelled" && detail) return detail;
  return (reason && texts[locale].reasons[reason]) ?? detail ?? reason ?? undefined;
}

/** Describes the state of a saga; `count` is the number of items in the order. */
export function describeSaga(
  saga: Pick<Saga, "definition" | "status" | "steps">,
  count: number,
  locale: Locale,
  /** The current status of the order, for a completed checkout. */
  order: Order["status"] = "confirmed",
): SagaDescription {
  const t = texts[locale];
  const items = t.items(count);
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
        isActive: false,
      };
    case "compensated": {
      const held = undoing.some(({ name, state }) => name === "reserve_stock" && state === "done");
      const text = isReturn ? t.refundRefused : held ? t.backInStock(items, t.are(count)) : t.nothingHeld;
      return { title: isReturn ? t.titles.refundRefused : titleOf(cause, locale), text, tone: toneOf(cause), isActive: false };
    }
    case "compensating": {
      const index = undoing.findIndex(({ state }) => state === "running");
      const step = undoing[index];
      const text = step ? `${sentenceOf(step, count, locale)}${attemptText(step, locale)}` : t.goingBack;
      return { title: titleOf(cause, locale), text, tone: "waiting", isActive: true };
    }
    case "parked": {
      // A saga that was parked because of a dead-lettered message still has a running step.
      const step = saga.steps.find(({ state }) => state === "parked") ?? saga.steps.findLast(({ state }) => state === "running");
      return { title: t.titles.parked, text: t.parked(step ? nameOf(step, locale) : t.unknownStep), tone: "bad", isActive: false };
    }
    default: {
      const step = forward.find(({ state }) => state === "running");
      const text = step ? `${sentenceOf(step, count, locale)}${attemptText(step, locale)}` : t.starting;
      return { title: isReturn ? t.titles.returning : t.titles.running, text, tone: "waiting", isActive: true };
    }
  }
}

type Return = Pick<Order["returns"][number], "status" | "lines" | "needs_receipt" | "refusal_reason">;

/** Describes a return by its status, because there is no saga before an operator has decided about it. */
export function describeReturn({ status, lines, needs_receipt, refusal_reason }: Return, locale: Locale): SagaDescription {
  const { titles, returnWaits, returnRefusedBecause } = texts[locale];
  if (status === "requested" && needs_receipt) {
    return { title: titles.returnWaits, text: returnWaits, tone: "waiting", isActive: false };
  }
  if (status === "refused" && refusal_reason) {
    return { title: titles.returnRefused, text: returnRefusedBecause(refusal_reason), tone: "bad", isActive: false };
  }
  const sagas: Record<typeof status, Pick<Saga, "status" | "steps">> = {
    requested: { status: "running", steps: [running("refund_payment")] },
    received: { status: "running", steps: [running("refund_payment")] },
    refunded: { status: "running", steps: [running("restock_items")] },
    completed: { status: "completed", steps: [] },
    refused: { status: "compensated", steps: [] },
  };
  return describeSaga({ definition: "return", ...sagas[status] }, countItems(lines), locale);
}

function running(name: string): Step {
  return { name, direction: "do", service: "", pivot: false, state: "running", attempts: 1 };
}

function textsOf(name: string, direction: string, locale: Locale) {
  const { steps } = texts[locale];
  return direction === "undo" ? steps.undo[name] : steps.do[name];
}

function attemptText({ attempts }: Step, locale: Locale): string {
  return attempts > 1 ? ` ${texts[locale].attempt(attempts)}` : "";
}

/** Returns the headline for a saga that is compensated because of the given step. */
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

/** A cancellation by the shopper is not shown as a failure. */
function toneOf(cause: Step | undefined): Tone {
  return cause?.reason === "cancelled" ? "neutral" : "bad";
}
