import { expect, test } from "vitest";

import { type Filters, isNarrowed, readFilters, writeFilters } from "./filters";

test("filters survive the way into the address and back", () => {
  const all: Filters = { q: "green tea", category: "tea", min_price: 0, max_price: 2500, in_stock: true, sort: "-price" };
  expect(readFilters(writeFilters(all))).toEqual(all);
  expect(writeFilters({}).toString()).toBe("");
  expect(readFilters(new URLSearchParams())).toEqual({});
});

test("what makes no sense in an address is no filter", () => {
  const junk = "q=%20%20&category=&min_price=-5&max_price=1e9&in_stock=yes&sort=colour";
  expect(readFilters(new URLSearchParams(junk))).toEqual({});
});

test("relevance is an order only where there are words", () => {
  expect(readFilters(new URLSearchParams("sort=relevance"))).toEqual({});
  expect(readFilters(new URLSearchParams("sort=relevance&q=tea"))).toEqual({ q: "tea", sort: "relevance" });
});

test("words and order do not narrow", () => {
  expect(isNarrowed({ q: "tea", sort: "price" })).toBe(false);
  expect(isNarrowed({ min_price: 0 })).toBe(true);
});
