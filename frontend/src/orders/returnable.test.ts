import { expect, it } from "vitest";

import type { JoinedOrder } from "./api";
import { mayShip, refundOf, returnable, waitsForItems } from "./returnable";

const euros = (amount: number) => ({ amount, currency: "EUR" });
const line = { sku: "a", name: "Tea", quantity: 3, unit_price: euros(400), line_total: euros(1200) };
const back = (status: string, part: object = {}) => ({ status, items: [{ sku: "a", quantity: 1 }], ...part });
const order = (part: object) =>
  ({ status: "confirmed", payment_status: "captured", total: euros(1200), lines: [line], returns: [], ...part }) as unknown as JoinedOrder;

it("offers what no other return covers, unless everything is refunded already", () => {
  const returns = [back("received"), back("refused")];
  expect(returnable(order({ status: "delivered", returns })).map(({ left }) => left)).toEqual([2]);
  expect(returnable(order({ payment_status: "refunded" }))).toEqual([]);
  expect(returnable(order({ status: "returned" }))).toEqual([]);
});

it("promises no more than an operator has left of the payment", () => {
  const lines = returnable(order({}));
  expect(refundOf(order({}), lines, { a: 3 })).toBe(1200);
  expect(refundOf(order({ payment: { refunded: euros(500) } }), lines, { a: 3 })).toBe(700);
  expect(refundOf(order({ payment: { refunded: euros(500) } }), lines, { a: 1 })).toBe(400);
});

it("lets an order be shipped only with its money and without an open return", () => {
  expect(mayShip(order({}))).toBe(true);
  expect(mayShip(order({ returns: [back("completed"), back("refused")] }))).toBe(true);
  for (const status of ["requested", "received", "refunded"]) expect(mayShip(order({ returns: [back(status)] }))).toBe(false);
  expect(mayShip(order({ payment_status: "refunded" }))).toBe(false);
  expect(mayShip(order({ status: "pending" }))).toBe(false);
});

const waits = (status: string, needs_receipt: boolean) => waitsForItems(back(status, { needs_receipt }) as never);

it("knows the returns that wait for an operator", () => {
  expect([waits("requested", true), waits("requested", false), waits("received", true)]).toEqual([true, false, false]);
});
