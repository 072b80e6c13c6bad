import { expect, it } from "vitest";

import type { JoinedOrder } from "./api";
import { isAwaitingItems, isShippable, refundOf, returnable } from "./returnable";

const euros = (amount: number) => ({ amount, currency: "EUR" });
const line = { sku: "a", name: "Tea", quantity: 3, unit_price: euros(400), line_total: euros(1200) };
const back = (status: string, part: object = {}) => ({ status, lines: [{ sku: "a", quantity: 1 }], ...part });
const order = (part: object) =>
  ({ status: "confirmed", payment_status: "captured", total: euros(1200), lines: [line], returns: [], ...part }) as unknown as JoinedOrder;

it("offers items that are in no other return, unless the order is fully refunded", () => {
  const returns = [back("received"), back("refused")];
  expect(returnable(order({ status: "delivered", returns })).map(({ left }) => left)).toEqual([2]);
  expect(returnable(order({ payment_status: "refunded" }))).toEqual([]);
  expect(returnable(order({ status: "returned" }))).toEqual([]);
});

it("limits the refund to the amount not refunded yet", () => {
  const lines = returnable(order({}));
  expect(refundOf(order({}), lines, { a: 3 })).toBe(1200);
  expect(refundOf(order({ payment: { refunded: euros(500) } }), lines, { a: 3 })).toBe(700);
  expect(refundOf(order({ payment: { refunded: euros(500) } }), lines, { a: 1 })).toBe(400);
});

it("an order with a full refund or an open return cannot be shipped", () => {
  expect(isShippable(order({}))).toBe(true);
  expect(isShippable(order({ returns: [back("completed"), back("refused")] }))).toBe(true);
  for (const status of ["requested", "received", "refunded"]) expect(isShippable(order({ returns: [back(status)] }))).toBe(false);
  expect(isShippable(order({ payment_status: "refunded" }))).toBe(false);
  expect(isShippable(order({ status: "pending" }))).toBe(false);
});

const isAwaiting = (status: string, needs_receipt: boolean) => isAwaitingItems(back(status, { needs_receipt }) as never);

it("recognizes returns that are waiting for their items", () => {
  expect([isAwaiting("requested", true), isAwaiting("requested", false), isAwaiting("received", true)]).toEqual([true, false, false]);
});
