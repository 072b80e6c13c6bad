/** The filters of the product list. They are kept in the URL, so that it can be shared and the back button works. */
export interface Filters {
  readonly q?: string;
  readonly category?: string;
  /** Lowest price in minor units. */
  readonly min_price?: number;
  /** Highest price in minor units. */
  readonly max_price?: number;
  readonly in_stock?: true;
  readonly sort?: Sort;
}

/** The sort orders of the API; `-price` is descending. */
export const SORTS = ["relevance", "name", "price", "-price", "newest"] as const;
/** A sort order of the product list. */
export type Sort = (typeof SORTS)[number];

/** Reads the filters from a query string and ignores invalid values. */
export function readFilters(query: URLSearchParams): Filters {
  const q = query.get("q")?.trim().slice(0, 100);
  const category = query.get("category");
  const min = amount(query.get("min_price"));
  const max = amount(query.get("max_price"));
  const sort = SORTS.find((known) => known === query.get("sort"));
  return {
    ...(q && { q }),
    ...(category && { category }),
    ...(min !== undefined && { min_price: min }),
    ...(max !== undefined && { max_price: max }),
    ...(query.get("in_stock") === "true" && { in_stock: true as const }),
    // Without search terms, all products are equally relevant.
    ...(sort && (sort !== "relevance" || q) && { sort }),
  };
}

/** Writes filters to a query string that {@link readFilters} can read. */
export function writeFilters(filters: Filters): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ["q", "category", "min_price", "max_price", "in_stock", "sort"] as const) {
    const value = filters[name];
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  return query;
}

/** Whether a filter is set that the user can clear. Search terms and sort order do not count. */
export function isNarrowed({ category, min_price, max_price, in_stock }: Filters): boolean {
  return category !== undefined || min_price !== undefined || max_price !== undefined || in_stock === true;
}

function amount(text: string | null): number | undefined {
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
