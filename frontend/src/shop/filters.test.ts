import { expect, test } from "vitest";

import { type Filters, isNarrowed, readFilters, writeFilters } from "./filters";

test("filters survive a round trip through the query string", () => {
  const all: Filters = { q: "green tea", category: "tea", min_price: 0, max_price: 2500, in_stock: true, sort: "-price" };
  expect(readFilters(writeFilters(all))).toEqual(all);
  expect(writeFilters({}).toString()).toBe("");
  expect(readFilters(new URLSearchParams())).toEqual({});
});

test("invalid values are ignored", () => {
  const junk = "q=%20%20&category=&min_price=-5&max_price=1e9&in_stock=yes&sort=colour";
  expect(readFilters(new URLSearchParams(junk))).toEqual({});
});

test("sorting by relevance requires search terms", () => {
  expect(readFilters(new URLSearchParams("sort=relevance"))).toEqual({});
  expect(readFilters(new URLSearchParams("sort=relevance&q=tea"))).toEqual({ q: "tea", sort: "relevance" });
});

test("search terms and sort order do not count as filters", () => {
  expect(isNarrowed({ q: "tea", sort: "price" })).toBe(false);
  expect(isNarrowed({ min_price: 0 })).toBe(true);
});
