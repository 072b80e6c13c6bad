import { describe, expect, it } from "vitest";

import { LOCALES, type Locale } from "@/i18n";

import type { Saga, Step } from "./api";
import { nameOf, describeSaga, describeReturn, reasonOf, sentenceOf } from "./describeSaga";
import { checkout, returning, step } from "./sagas.fake";

const locales = Object.keys(LOCALES) as Locale[];
const states: Step["state"][] = ["pending", "running", "done", "refused", "silent", "parked", "skipped"];
const undoable = ["reserve_stock", "authorize_payment", "pin_stock"];
const kinds = [
  ...[...checkout, ...returning].map((name) => [name, "do"] as const),
  ...undoable.map((name) => [name, "undo"] as const),
];

describe.each(locales)("in %s", (locale) => {
  it.each(kinds.flatMap(([name, direction]) => states.map((state) => [name, direction, state] as const)))(
    "has a sentence for %s (%s) in the state %s",
    (name, direction, state) => {
      const sentence = sentenceOf({ name, direction, state }, 1, locale);
      expect(sentence).toMatch(/^[A-ZÄÖÜ0-9].*\.$/);
      expect(sentence).not.toContain(name);
      expect(sentence).not.toMatch(/undefined|NaN|_/);
      expect(nameOf({ name, direction }, locale)).not.toBe(name);
    },
  );

  it("has different texts for each state and direction of a step", () => {
    for (const [name, direction] of kinds) {
      const sentences = states.map((state) => sentenceOf({ name, direction, state }, 2, locale));
      expect(new Set(sentences).size).toBe(states.length);
    }
    for (const name of undoable) {
      expect(nameOf({ name, direction: "do" }, locale)).not.toBe(nameOf({ name, direction: "undo" }, locale));
    }
  });

  it("has a title and a sentence for every state of a saga", () => {
    const all: Pick<Saga, "definition" | "status" | "steps">[] = [
      ...["running", "compensating", "parked", "completed", "compensated"].flatMap((status) =>
        kinds.flatMap(([name, direction]) =>
          states.map((state) => ({ definition: "checkout", status, steps: [step(name, { direction, state })] })),
        ),
      ),
      ...["running", "parked", "completed", "compensated"].map((status) => ({ definition: "return", status, steps: [] })),
    ];
    for (const saga of all) {
      const { title, text } = describeSaga(saga, 2, locale);
      expect(title).toMatch(/^\S.*[^.]$/);
      expect(text).toMatch(/\.$/);
      expect(text).not.toMatch(/undefined|NaN|_/);
    }
  });
});

const refused = (name: string, reason: string) => step(name, { state: "refused", reason });
const undoing = (name: string, state: Step["state"]) => step(name, { direction: "undo", state });
const say = (status: string, steps: Step[], locale: Locale = "en", definition = "checkout", count = 2) => {
  const { title, text } = describeSaga({ definition, status, steps }, count, locale);
  return `${title} | ${text}`;
};

describe("a checkout", () => {
  it("is confirmed", () => {
    expect(say("running", [step("reserve_stock", { state: "running" })])).toBe(
      "Checkout in progress | Reserving 2 items in the warehouse.",
    );
    expect(say("running", [step("authorize_payment", { state: "running", attempts: 3 })])).toContain(
      "Asking the bank to authorize the payment. No response yet; trying again (attempt 3).",
    );
    expect(say("completed", [step("confirm_order", { state: "done" })])).toBe("Order confirmed | Paid. We have reserved 2 items for you.");
    const saga = { definition: "checkout", status: "completed", steps: [] };
    expect(describeSaga(saga, 2, "en", "shipped").text).toBe("Paid and shipped: 2 items.");
    expect(describeSaga(saga, 2, "de", "delivered").text).toBe("Bezahlt und zugestellt: 2 Artikel.");
    expect(say("completed", [], "en", "checkout", 1)).toBe("Order confirmed | Paid. We have reserved 1 item for you.");
  });

  it("is undone if the payment is declined", () => {
    const steps = [step("reserve_stock", { state: "done" }), refused("authorize_payment", "card_declined")];
    expect(say("compensating", [...steps, undoing("reserve_stock", "running")])).toBe(
      "Payment declined | Returning 2 items to stock.",
    );
    const ended = [...steps, undoing("reserve_stock", "done")];
    expect(say("compensated", ended)).toBe("Payment declined | You were not charged, and 2 items are back in stock.");
    expect(say("compensated", ended, "de")).toBe(
      "Zahlung abgelehnt | Ihnen wurde nichts berechnet, und 2 Artikel sind wieder im Lager.",
    );
  });

  it("is undone if the capture is refused", () => {
    const steps = [refused("capture_payment", "capture_declined"), undoing("pin_stock", "done")];
    expect(say("compensating", [...steps, undoing("authorize_payment", "running")])).toBe(
      "Card could not be charged | Voiding the payment authorization.",
    );
  });

  it("has nothing to undo if there is not enough stock", () => {
    expect(say("compensated", [refused("reserve_stock", "out_of_stock")])).toBe(
      "Out of stock | You were not charged, and no items are reserved for you.",
    );
  });

  it("is undone after a timeout, by the shopper, or by an operator", () => {
    const silent = (part: Partial<Step>) => say("compensating", [step("authorize_payment", { state: "silent", ...part })]);
    expect(silent({ reason: "timeout" })).toMatch(/^No response in time/);
    expect(silent({ reason: "cancelled" })).toMatch(/^Order cancelled/);
    expect(sentenceOf(step("authorize_payment", { state: "silent", reason: "cancelled" }), 2, "en")).toBe(
      "Stopped while in progress: Authorize payment.",
    );
    expect(silent({ reason: "fraud", actor: "an-operator" })).toMatch(/^Stopped by the shop/);
    expect(say("compensated", [refused("pin_stock", "hold_expired")])).toMatch(/^Reservation expired/);
  });

  it("waits for an operator", () => {
    expect(say("parked", [step("commit_stock", { state: "parked" })])).toBe(
      "Waiting for an operator | The saga is parked at “Deduct stock”. An operator will decide how to continue.",
    );
  });
});

it("describes a return", () => {
  expect(say("running", [step("restock_items", { state: "running" })], "en", "return")).toBe(
    "Return in progress | Your refund has been issued. Putting 2 items back in stock.",
  );
  expect(say("completed", [], "en", "return")).toMatch(/^Return completed/);
  const lines = [{ sku: "a", quantity: 2 }];
  const texts = (["requested", "received", "refunded", "completed", "refused"] as const).map(
    (status) => describeReturn({ status, lines, needs_receipt: status === "received" }, "en").text,
  );
  expect(texts).toEqual([
    "Refunding the payment.",
    "Refunding the payment.",
    "Your refund has been issued. Putting 2 items back in stock.",
    "Your refund has been issued, and 2 items are back in stock.",
    "Nothing was refunded, and nothing else has changed.",
  ]);
  expect(say("compensated", [refused("refund_payment", "exceeds_captured")], "en", "return")).toMatch(/^Refund refused/);
});

it("explains what a return of shipped items is waiting for, and why an operator refused it", () => {
  const lines = [{ sku: "a", quantity: 2 }];
  expect(describeReturn({ status: "requested", lines, needs_receipt: true }, "en").text).toBe(
    "Please send the items back. We will refund you as soon as we have received them.",
  );
  const byOperator = { status: "refused", lines, needs_receipt: true, refusal_reason: "The box is empty." } as const;
  expect(describeReturn(byOperator, "de")).toMatchObject({ title: "Rückgabe abgelehnt", text: "Begründung des Shops: The box is empty." });
});

it("translates known reasons and shows entered text unchanged", () => {
  expect(reasonOf({ reason: "card_declined", detail: "Your card was declined." }, "de")).toBe("Die Bank hat die Karte abgelehnt.");
  expect(reasonOf({ reason: "new_reason", detail: "Something new." }, "de")).toBe("Something new.");
  expect(reasonOf({ reason: "cancelled", detail: "changed my mind" }, "en")).toBe("changed my mind");
  expect(reasonOf({ reason: "checked by phone", detail: "done", actor: "an-operator" }, "en")).toBe("checked by phone");
  expect(reasonOf({ reason: null }, "en")).toBeUndefined();
});
