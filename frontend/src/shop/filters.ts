/** What a list of products is narrowed by. It lives in the address, so that it can be shared and gone back to. */
export interface Filters {
  readonly q?: string;
  readonly category?: string;
  /** In minor units, as the API takes them. */
  readonly min_price?: number;
  readonly max_price?: number;
  readonly in_stock?: true;
  readonly sort?: Sort;
}

export const SORTS = ["relevance", "name", "price", "-price", "newest"] as const;
export type Sort = (typeof SORTS)[number];

/** The filters of an address. What makes no sense there is no filter. */
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
    // Without words, all products are equally relevant.
    ...(sort && (sort !== "relevance" || q) && { sort }),
  };
}

/** The address of filters; {@link readFilters} reads it. */
export function writeFilters(filters: Filters): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ["q", "category", "min_price", "max_price", "in_stock", "sort"] as const) {
    const value = filters[name];
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  return query;
}

/** Whether something is narrowed that can be taken off again. Words and order are not meant. */
export function isNarrowed({ category, min_price, max_price, in_stock }: Filters): boolean {
  return category !== undefined || min_price !== undefined || max_price !== undefined || in_stock === true;
}

function amount(text: string | null): number | undefined {
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
