import { expect, test } from "vitest";

import { actionsFor, type Saga } from "./actions";

const CHECKOUT = ["reserve_stock", "authorize_payment", "pin_stock", "capture_payment", "commit_stock", "confirm_order"];

type Step = Saga["steps"][number];

function step(name: string, direction: string, state: Step["state"]) {
  return { name, direction, state, pivot: direction === "do" && name === "capture_payment" } as Step;
}

/** Creates a checkout that is at the given step. In the `undo` direction, later steps are already undone. */
function checkout(status: string, at: string, direction = "do") {
  const waiting = status === "parked" ? "parked" : "running";
  const index = CHECKOUT.indexOf(at);
  const state = (own: number): Step["state"] => (own < index ? "done" : own === index ? waiting : "pending");
  if (direction === "do") return { status, steps: CHECKOUT.map((name, own) => step(name, "do", state(own))) };
  const forward = CHECKOUT.map((name, own) => step(name, "do", own < 3 ? "done" : own === 3 ? "refused" : "skipped"));
  const back = CHECKOUT.slice(0, 3)
    .toReversed()
    .map((name) => {
      const own = CHECKOUT.indexOf(name);
      return step(name, "undo", own > index ? "done" : own === index ? waiting : "pending");
    });
  return { status, steps: [...forward, ...back] };
}

test("a saga that has ended allows no action", () => {
  for (const status of ["completed", "compensated"]) {
    expect(actionsFor(checkout(status, ""))).toEqual({ canRetry: false, canCompensate: false, outcomes: [] });
  }
});

test("a saga can only be compensated before the pivot", () => {
  const can = (at: string) => actionsFor(checkout("running", at)).canCompensate;
  expect(CHECKOUT.filter(can)).toEqual(["reserve_stock", "authorize_payment", "pin_stock"]);
  expect(actionsFor(checkout("running", "pin_stock"))).toEqual({ canRetry: true, canCompensate: true, outcomes: [] });
  expect(actionsFor(checkout("compensating", "authorize_payment", "undo")).canCompensate).toBe(false);
});

test("a parked step can be resolved as refused up to the pivot", () => {
  const outcomes = (at: string) => actionsFor(checkout("parked", at)).outcomes;
  expect(outcomes("reserve_stock")).toEqual(["done", "refused"]);
  expect(outcomes("capture_payment")).toEqual(["done", "refused"]);
  expect(outcomes("commit_stock")).toEqual(["done"]);
  expect(actionsFor(checkout("parked", "authorize_payment", "undo"))).toEqual({
    canRetry: true,
    canCompensate: false,
    outcomes: ["done"],
  });
});
