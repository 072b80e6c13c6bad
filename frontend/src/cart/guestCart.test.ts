import { beforeEach, expect, test } from "vitest";

import { guestCart, withQuantity } from "./guestCart";

beforeEach(() => guestCart.clear());

test("a line is added at the end, changed in place, and removed", () => {
  const two = withQuantity(withQuantity([], "A", 1), "B", 2);
  expect(two).toEqual([
    { sku: "A", quantity: 1 },
    { sku: "B", quantity: 2 },
  ]);
  expect(withQuantity(two, "A", 7)).toEqual([
    { sku: "A", quantity: 7 },
    { sku: "B", quantity: 2 },
  ]);
  expect(withQuantity(two, "A", 0)).toEqual([{ sku: "B", quantity: 2 }]);
  expect(withQuantity(two, "C", 0)).toEqual(two);
});

test("other fields of a line are kept", () => {
  const known = [{ sku: "A", quantity: 1, note: "kept" }];
  expect(withQuantity(known, "A", 3)).toEqual([{ sku: "A", quantity: 3, note: "kept" }]);
});

test("changes of another tab are applied, without invalid lines", () => {
  guestCart.set("A", 1);
  const lines = [{ sku: "B", quantity: 2 }, { sku: "C", quantity: -1 }, { sku: 5, quantity: 1 }, null];
  localStorage.setItem("souk.cart", JSON.stringify(lines));
  window.dispatchEvent(new StorageEvent("storage", { key: "souk.cart" }));
  expect(guestCart.lines()).toEqual([{ sku: "B", quantity: 2 }]);

  localStorage.setItem("souk.cart", "{");
  window.dispatchEvent(new StorageEvent("storage", { key: "souk.cart" }));
  expect(guestCart.lines()).toEqual([]);
});
