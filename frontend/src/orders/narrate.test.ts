import { describe, expect, it } from "vitest";

import { LOCALES, type Locale } from "@/i18n";

import type { Saga, Step } from "./api";
import { nameOf, narrate, narrateReturn, reasonOf, sentenceOf } from "./narrate";
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
    "says what it means that %s (%s) is %s",
    (name, direction, state) => {
      const one = sentenceOf({ name, direction, state }, 1, locale);
      expect(one).toMatch(/^[A-ZÄÖÜ0-9].*\.$/);
      expect(one).not.toContain(name);
      expect(one).not.toMatch(/undefined|NaN|_/);
      expect(nameOf({ name, direction }, locale)).not.toBe(name);
    },
  );

  it("says something else in every state of a step, and for doing and undoing it", () => {
    for (const [name, direction] of kinds) {
      const said = states.map((state) => sentenceOf({ name, direction, state }, 2, locale));
      expect(new Set(said).size).toBe(states.length);
    }
    for (const name of undoable) {
      expect(nameOf({ name, direction: "do" }, locale)).not.toBe(nameOf({ name, direction: "undo" }, locale));
    }
  });

  it("says a whole sentence of every saga wherever it is", () => {
    const all: Pick<Saga, "definition" | "status" | "steps">[] = [
      ...["running", "compensating", "parked", "completed", "compensated"].flatMap((status) =>
        kinds.flatMap(([name, direction]) =>
          states.map((state) => ({ definition: "checkout", status, steps: [step(name, { direction, state })] })),
        ),
      ),
      ...["running", "parked", "completed", "compensated"].map((status) => ({ definition: "return", status, steps: [] })),
    ];
    for (const saga of all) {
      const { title, text } = narrate(saga, 2, locale);
      expect(title).toMatch(/^\S.*[^.]$/);
      expect(text).toMatch(/\.$/);
      expect(text).not.toMatch(/undefined|NaN|_/);
    }
  });
});

const refused = (name: string, reason: string) => step(name, { state: "refused", reason });
const undoing = (name: string, state: Step["state"]) => step(name, { direction: "undo", state });
const say = (status: string, steps: Step[], locale: Locale = "en", definition = "checkout", count = 2) => {
  const { title, text } = narrate({ definition, status, steps }, count, locale);
  return `${title} | ${text}`;
};

describe("a checkout", () => {
  it("goes through", () => {
    expect(say("running", [step("reserve_stock", { state: "running" })])).toBe(
      "Checkout under way | Setting 2 items aside in the warehouse.",
    );
    expect(say("running", [step("authorize_payment", { state: "running", attempts: 3 })])).toContain(
      "Asking the bank to reserve the money. No answer yet, so it is being asked again (attempt 3).",
    );
    expect(say("completed", [step("confirm_order", { state: "done" })])).toBe("Order confirmed | Paid, and 2 items set aside for you.");
    const saga = { definition: "checkout", status: "completed", steps: [] };
    expect(narrate(saga, 2, "en", "shipped").text).toBe("Paid and sent: 2 items.");
    expect(narrate(saga, 2, "de", "delivered").text).toBe("Bezahlt und zugestellt: 2 Artikel.");
    expect(say("completed", [], "en", "checkout", 1)).toBe("Order confirmed | Paid, and 1 item set aside for you.");
  });

  it("is undone because the payment is declined", () => {
    const steps = [step("reserve_stock", { state: "done" }), refused("authorize_payment", "card_declined")];
    expect(say("compensating", [...steps, undoing("reserve_stock", "running")])).toBe(
      "Payment declined | Returning 2 items to stock.",
    );
    const ended = [...steps, undoing("reserve_stock", "done")];
    expect(say("compensated", ended)).toBe("Payment declined | Nothing was charged, and 2 items are back in stock.");
    expect(say("compensated", ended, "de")).toBe(
      "Zahlung abgelehnt | Nichts wurde berechnet, und 2 Artikel sind wieder im Lager.",
    );
  });

  it("is undone because the capture is refused", () => {
    const steps = [refused("capture_payment", "capture_declined"), undoing("pin_stock", "done")];
    expect(say("compensating", [...steps, undoing("authorize_payment", "running")])).toBe(
      "Payment refused at the last moment | Releasing the reserved money.",
    );
  });

  it("has nothing to undo when there is too little in stock", () => {
    expect(say("compensated", [refused("reserve_stock", "out_of_stock")])).toBe(
      "Out of stock | Nothing was charged, and nothing is held for you.",
    );
  });

  it("is undone because an answer did not come, because of the shopper, or of an operator", () => {
    const silent = (part: Partial<Step>) => say("compensating", [step("authorize_payment", { state: "silent", ...part })]);
    expect(silent({ reason: "timeout" })).toMatch(/^No answer in time/);
    expect(silent({ reason: "cancelled" })).toMatch(/^Order cancelled/);
    expect(sentenceOf(step("authorize_payment", { state: "silent", reason: "cancelled" }), 2, "en")).toBe(
      "Stopped while it was under way: Reserve the money.",
    );
    expect(silent({ reason: "fraud", actor: "an-operator" })).toMatch(/^Stopped by the shop/);
    expect(say("compensated", [refused("pin_stock", "hold_expired")])).toMatch(/^Time ran out/);
  });

  it("waits for an operator", () => {
    expect(say("parked", [step("commit_stock", { state: "parked" })])).toBe(
      "Waiting for a person | It stopped at “Take items from stock”. An operator decides how it goes on; nothing is lost.",
    );
  });
});

it("tells of a return", () => {
  expect(say("running", [step("restock_items", { state: "running" })], "en", "return")).toBe(
    "Return under way | The money is on its way back to you. Putting 2 items back into stock.",
  );
  expect(say("completed", [], "en", "return")).toMatch(/^Return complete/);
  const items = [{ sku: "a", quantity: 2 }];
  const told = (["requested", "received", "refunded", "completed", "refused"] as const).map(
    (status) => narrateReturn({ status, items, needs_receipt: status === "received" }, "en").text,
  );
  expect(told).toEqual([
    "Giving the money back.",
    "Giving the money back.",
    "The money is on its way back to you. Putting 2 items back into stock.",
    "The money is on its way back to you, and 2 items are back in stock.",
    "No money moved, and nothing else changed.",
  ]);
  expect(say("compensated", [refused("refund_payment", "exceeds_captured")], "en", "return")).toMatch(/^Refund refused/);
});

it("says what a return of shipped items waits for, and why an operator refused it", () => {
  const items = [{ sku: "a", quantity: 2 }];
  expect(narrateReturn({ status: "requested", items, needs_receipt: true }, "en").text).toBe(
    "Please send the items back. You get your money as soon as they have arrived.",
  );
  const byOperator = { status: "refused", items, needs_receipt: true, refusal_reason: "The box is empty." } as const;
  expect(narrateReturn(byOperator, "de")).toMatchObject({ title: "Rückgabe abgelehnt", text: "Begründung des Ladens: The box is empty." });
});

it("gives reasons in the reader's language, and people's own words as they are", () => {
  expect(reasonOf({ reason: "card_declined", detail: "Your card was declined." }, "de")).toBe("Die Bank hat die Karte abgelehnt.");
  expect(reasonOf({ reason: "new_reason", detail: "Something new." }, "de")).toBe("Something new.");
  expect(reasonOf({ reason: "cancelled", detail: "changed my mind" }, "en")).toBe("changed my mind");
  expect(reasonOf({ reason: "checked by phone", detail: "done", actor: "an-operator" }, "en")).toBe("checked by phone");
  expect(reasonOf({ reason: null }, "en")).toBeUndefined();
});
