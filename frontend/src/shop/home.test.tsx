import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { MemoryRouter } from "react-router";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { Component as Home } from "./home";

interface FakeProduct {
  readonly sku: string;
  readonly category: string;
  readonly in_stock: boolean;
  readonly created: number;
}

const CATEGORIES = ["tea", "coffee", "ceramics", "kitchen", "textiles", "stationery"];
const products: FakeProduct[] = [];
/** The query strings of all product requests. */
const requests: string[] = [];

const add = (category: string, count: number, in_stock = true) => {
  for (let number = 0; number < count; number += 1) {
    const created = products.length;
    products.push({ sku: `${category}-${created}`, category, in_stock, created });
  }
};

const toJson = ({ sku, category, in_stock }: FakeProduct) => ({
  sku,
  category,
  in_stock,
  name: `Product ${sku}`,
  available: in_stock ? 5 : 0,
  image: `/pictures/${sku}.svg`,
  price: { amount: 900, currency: "EUR" },
  attributes: {},
});

const server = setupServer(
  http.get("*/v1/categories", () => {
    const items = CATEGORIES.map((slug) => ({
      slug,
      name: slug,
      products: products.filter(({ category }) => category === slug).length,
    }));
    return HttpResponse.json({ items, next_cursor: null });
  }),
  // Newest first and at most 100, as in the API.
  http.get("*/v1/products", ({ request }) => {
    const query = new URL(request.url).searchParams;
    requests.push(String(query));
    const category = query.get("category");
    const matching = products
      .filter((product) => !category || product.category === category)
      .filter((product) => query.get("in_stock") !== "true" || product.in_stock)
      .toSorted((one, other) => other.created - one.created);
    const facets = CATEGORIES.map((slug) => ({
      slug,
      name: slug,
      count: products.filter((product) => product.category === slug).length,
    }));
    const limit = Math.min(Number(query.get("limit") ?? 20), 100);
    return HttpResponse.json({
      items: matching.slice(0, limit).map(toJson),
      next_cursor: null,
      facets: { categories: facets, price: { min: 900, max: 900 }, in_stock: 0 },
    });
  }),
  http.get("*/v1/cart", () => HttpResponse.json({ items: [], degraded: [] })),
);
beforeAll(() => server.listen());
afterEach(() => {
  cleanup();
  server.resetHandlers();
});
afterAll(() => server.close());

beforeEach(() => {
  products.length = 0;
  requests.length = 0;
  for (const category of CATEGORIES) add(category, 10);
});

function renderHome(): void {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={queries}>
      <MemoryRouter>
        <Home />
      </MemoryRouter>
    </QueryClientProvider>,
  );
}

/** Waits for the category links and returns their texts. */
async function shelves(): Promise<string[]> {
  const section = await screen.findByRole("region", { name: "Shop by category" });
  await waitFor(() => expect(within(section).queryAllByRole("link").length).toBeGreaterThan(0));
  return within(section)
    .getAllByRole("link")
    .map((link) => link.textContent ?? "");
}

const heroPictures = () => document.querySelectorAll("section:first-of-type img").length;
const cards = () => screen.getAllByRole("article").map((card) => within(card).getByRole("heading").textContent);

test("many new products in one category do not displace the others", async () => {
  add("tea", 300);
  renderHome();
  expect(await shelves()).toEqual([
    "Tea310 products",
    "Coffee10 products",
    "Ceramics10 products",
    "Kitchen10 products",
    "Textiles10 products",
    "Stationery10 products",
  ]);
  await waitFor(() => expect(heroPictures()).toBe(3));
  const section = screen.getByRole("region", { name: "Shop by category" });
  await waitFor(() => expect(section.querySelectorAll("img")).toHaveLength(6));
  await waitFor(() =>
    expect(cards()).toEqual(["Product tea-359", "Product coffee-19", "Product ceramics-29", "Product kitchen-39"]),
  );
  // One small request for each category.
  expect(requests).toHaveLength(6);
  expect(requests.every((query) => query.includes("limit=2"))).toBe(true);
});

test("shows the newest product in stock, even if many newer ones are sold out", async () => {
  add("coffee", 150, false);
  renderHome();
  await shelves();
  await waitFor(() => expect(cards()).toContain("Product coffee-19"));
});

test("a sold-out category keeps its picture, and an empty one is not shown", async () => {
  const kept = products.filter(({ category }) => category !== "ceramics" && category !== "kitchen");
  products.splice(0, products.length, ...kept);
  add("ceramics", 3, false);
  renderHome();
  expect(await shelves()).toEqual([
    "Tea10 products",
    "Coffee10 products",
    "Ceramics3 products",
    "Textiles10 products",
    "Stationery10 products",
  ]);
  const section = screen.getByRole("region", { name: "Shop by category" });
  await waitFor(() => expect(section.querySelectorAll("img")).toHaveLength(5));
  // The next category takes the place of a sold-out one.
  await waitFor(() =>
    expect(cards()).toEqual(["Product tea-9", "Product coffee-19", "Product textiles-49", "Product stationery-59"]),
  );
});

test("a category is still linked if its products cannot be loaded", async () => {
  server.use(
    http.get("*/v1/products", ({ request }) =>
      new URL(request.url).searchParams.get("category") === "coffee" ? HttpResponse.json({ title: "down" }, { status: 503 }) : undefined,
    ),
  );
  renderHome();
  expect(await shelves()).toHaveLength(6);
  const section = screen.getByRole("region", { name: "Shop by category" });
  await waitFor(() => expect(section.querySelectorAll("img")).toHaveLength(5));
});

test("shows an error and the hero if the categories cannot be loaded", async () => {
  server.use(http.get("*/v1/categories", () => HttpResponse.json({ title: "down" }, { status: 503 })));
  renderHome();
  expect(await screen.findByRole("alert")).toBeVisible();
  expect(screen.getByRole("heading", { level: 1 })).toBeVisible();
});
