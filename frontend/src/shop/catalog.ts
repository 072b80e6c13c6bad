import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, call, type Schemas } from "@/api/client";

import type { Filters } from "./filters";

export type Page = Schemas["ProductPage"];

/** One product. */
export function productQuery(sku: string) {
  return queryOptions({
    queryKey: ["catalog", "product", sku],
    queryFn: ({ signal }) => call(api.GET("/v1/products/{sku}", { params: { path: { sku } }, signal })),
  });
}

/** How many of it can be bought, followed while somebody looks. */
export function availabilityQuery(sku: string) {
  return queryOptions({
    queryKey: ["catalog", "availability", sku],
    queryFn: async ({ signal }) => {
      const answer = await call(api.GET("/v1/products/{sku}/availability", { params: { path: { sku } }, signal }));
      return answer.available ?? 0;
    },
    staleTime: 2000,
    refetchInterval: 5000,
  });
}

/** Products by filters, page by page. */
export function productsQuery(filters: Filters) {
  return infiniteQueryOptions({
    queryKey: ["catalog", "products", filters],
    queryFn: ({ pageParam, signal }) =>
      call(api.GET("/v1/products", { params: { query: { ...filters, limit: 24, ...(pageParam && { cursor: pageParam }) } }, signal })),
    initialPageParam: "",
    getNextPageParam: (page: Page) => page.next_cursor ?? undefined,
  });
}

/** One page of few products, such as those beside another. */
export function shelfQuery(filters: Filters, limit: number) {
  return queryOptions({
    queryKey: ["catalog", "shelf", filters, limit],
    queryFn: ({ signal }) => call(api.GET("/v1/products", { params: { query: { ...filters, limit } }, signal })),
  });
}

/** The categories in the shop's order, with the number of products in each. */
export function categoriesQuery() {
  return queryOptions({
    queryKey: ["catalog", "categories"],
    queryFn: ({ signal }) => call(api.GET("/v1/categories", { signal })),
  });
}

/** What the start page shows of a category. */
export interface Display {
  /** The address of a picture that stands for the category. */
  readonly cover: string | undefined;
  /** Its newest product in stock, if it has one. */
  readonly newest: Page["items"][number] | undefined;
}

/** A category's newest product in stock, and the picture of another one where there is another. */
export function displayQuery(category: string) {
  return queryOptions({
    queryKey: ["catalog", "display", category],
    queryFn: async ({ signal }): Promise<Display> => {
      const page = (query: Filters & { limit: number }) => call(api.GET("/v1/products", { params: { query }, signal }));
      const inStock = await page({ category, in_stock: true, sort: "newest", limit: 2 });
      const [newest, another = newest] = inStock.items;
      if (another) return { cover: another.image, newest };
      // Everything is sold out, and still has pictures.
      const any = await page({ category, sort: "newest", limit: 1 });
      return { cover: any.items[0]?.image, newest: undefined };
    },
  });
}

/** How many there are over all pages: every count of a category ignores the chosen category, and nothing else. */
export function countOf({ facets }: Page, category: string | undefined): number {
  return facets.categories
    .filter(({ slug }) => category === undefined || slug === category)
    .reduce((sum, { count }) => sum + count, 0);
}
