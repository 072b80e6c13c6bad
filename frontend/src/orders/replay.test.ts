import { expect, it } from "vitest";

import type { JoinedOrder, Order, Saga } from "./api";
import { mergeNewer } from "./api";
import { momentsOf, sagaAt } from "./replay";
import { returnable } from "./returnable";
import { sagaOf, step } from "./sagas.fake";

const at = (second: string) => `2026-11-24T14:00:${second}Z`;
const declined: Saga = sagaOf(
  [
    step("reserve_stock", { state: "done", attempts: 1, started_at: at("01"), finished_at: at("02.5") }),
    step("authorize_payment", { state: "refused", reason: "card_declined", attempts: 2, started_at: at("02.5"), finished_at: at("02.500001") }),
    step("pin_stock", { state: "skipped" }),
    step("reserve_stock", { direction: "undo", state: "done", attempts: 1, started_at: at("02.500001"), finished_at: at("03") }),
  ],
  { status: "compensated" },
);

it("reconstructs each state of a saga, and ends with the final one", () => {
  const moments = momentsOf(declined);
  expect(moments).toEqual([at("01"), at("02.5"), at("02.500001"), at("03")]);
  const history = moments.map((moment) => {
    const { status, steps } = sagaAt(declined, moment);
    return [status, ...steps.map(({ state }) => state)];
  });
  expect(history).toEqual([
    ["running", "running", "pending", "pending"],
    ["running", "done", "running", "pending"],
    ["compensating", "done", "refused", "skipped", "running"],
    ["compensated", "done", "refused", "skipped", "done"],
  ]);
  expect(sagaAt(declined, at("02.5")).steps[1]).toMatchObject({ reason: null, finished_at: null });
  expect(sagaAt(declined, moments.at(-1)!)).toEqual(declined);
});

const order = (part: Partial<Order>) => ({ status: "confirmed", lines: [], returns: [], updated_at: at("01"), ...part }) as unknown as Order;
const line = (sku: string, quantity: number) => ({ sku, quantity }) as Order["lines"][number];
const back = (status: string, sku: string, quantity: number) =>
  ({ status, lines: [{ sku, quantity }] }) as unknown as Order["returns"][number];

it("offers items for return that have not been returned", () => {
  const some = order({ lines: [line("a", 3), line("b", 1)], returns: [back("requested", "a", 1), back("completed", "b", 1), back("refused", "a", 2)] });
  expect(returnable(some).map(({ sku, left }) => [sku, left])).toEqual([["a", 2]]);
  expect(returnable({ ...some, status: "delivered" })).toHaveLength(1);
  for (const status of ["pending", "rejected", "cancelled", "returned"] as const) {
    expect(returnable({ ...some, status })).toEqual([]);
  }
});

it("merges a newer order and saga, and ignores older ones", () => {
  const known = { ...order({ updated_at: at("05") }), lines: [{ ...line("a", 1), product: { name: "A" } }], degraded: [], saga: sagaOf([], { updated_at: at("05.1") }) } as unknown as JoinedOrder;
  expect(mergeNewer(known, order({ updated_at: at("04") }), sagaOf([], { updated_at: at("05.099999") }))).toBe(known);
  const newer = mergeNewer(known, order({ status: "shipped", updated_at: at("05.000001") }), sagaOf([], { status: "completed", updated_at: at("05.100001") }));
  expect(newer).toMatchObject({ status: "shipped", saga: { status: "completed" }, lines: known.lines });
  // A return progresses while its checkout is completed.
  const own = { ...sagaOf([], { id: "r", updated_at: at("06") }), definition: "return" };
  const returning = mergeNewer(newer, null, sagaOf([], { updated_at: at("05.100001"), returns: [own] }));
  expect(returning.saga?.returns).toEqual([own]);
  expect(mergeNewer(returning, null, sagaOf([], { updated_at: at("05.100001") }))).toBe(returning);
});
