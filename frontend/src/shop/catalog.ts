import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, call, type Schemas } from "@/api/client";

import type { Filters } from "./filters";

/** A page of the product list, with facets for the filters. */
export type Page = Schemas["ProductPage"];

/** The details of a product, without its availability. */
export function productQuery(sku: string) {
  return queryOptions({
    queryKey: ["catalog", "product", sku],
    queryFn: ({ signal }) => call(api.GET("/v1/products/{sku}", { params: { path: { sku } }, signal })),
  });
}

/** The number of items of a product that can be bought now; polled every 5 seconds while it is shown. */
export function availabilityQuery(sku: string) {
  return queryOptions({
    queryKey: ["catalog", "availability", sku],
    queryFn: async ({ signal }) => {
      const availability = await call(api.GET("/v1/products/{sku}/availability", { params: { path: { sku } }, signal }));
      return availability.available ?? 0;
    },
    staleTime: 2000,
    refetchInterval: 5000,
  });
}

/** The products that match the filters, in pages of 24. */
export function productsQuery(filters: Filters) {
  return infiniteQueryOptions({
    queryKey: ["catalog", "products", filters],
    queryFn: ({ pageParam, signal }) =>
      call(api.GET("/v1/products", { params: { query: { ...filters, limit: 24, ...(pageParam && { cursor: pageParam }) } }, signal })),
    initialPageParam: "",
    getNextPageParam: (page: Page) => page.next_cursor ?? undefined,
  });
}

/** The first `limit` products that match the filters. */
export function shelfQuery(filters: Filters, limit: number) {
  return queryOptions({
    queryKey: ["catalog", "shelf", filters, limit],
    queryFn: ({ signal }) => call(api.GET("/v1/products", { params: { query: { ...filters, limit } }, signal })),
  });
}

/** All categories in the shop's order, with the number of products in each. */
export function categoriesQuery() {
  return queryOptions({
    queryKey: ["catalog", "categories"],
    queryFn: ({ signal }) => call(api.GET("/v1/categories", { signal })),
  });
}

/** The part of a category that the home page shows. */
export interface CategoryPreview {
  /** URL of a picture for the category; undefined if it has no products. */
  readonly cover: string | undefined;
  /** The category's newest product in stock; undefined if all are sold out. */
  readonly newest: Page["items"][number] | undefined;
}

/** A category's newest product in stock, and the picture of a different product if there is one. */
export function previewQuery(category: string) {
  return queryOptions({
    queryKey: ["catalog", "preview", category],
    queryFn: async ({ signal }): Promise<CategoryPreview> => {
      const page = (query: Filters & { limit: number }) => call(api.GET("/v1/products", { params: { query }, signal }));
      const inStock = await page({ category, in_stock: true, sort: "newest", limit: 2 });
      const [newest, another = newest] = inStock.items;
      if (another) return { cover: another.image, newest };
      // All products are sold out; use the picture of the newest.
      const any = await page({ category, sort: "newest", limit: 1 });
      return { cover: any.items[0]?.image, newest: undefined };
    },
  });
}

/** Returns the total number of matching products. The facet counts apply all filters except the category. */
export function countOf({ facets }: Page, category: string | undefined): number {
  return facets.categories
    .filter(({ slug }) => category === undefined || slug === category)
    .reduce((sum, { count }) => sum + count, 0);
}
