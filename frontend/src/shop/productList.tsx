import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useId, useSyncExternalStore } from "react";
import { useSearchParams } from "react-router";

import { useMessages } from "@/i18n";
import { Button, ButtonLink } from "@/ui/button";
import { classes } from "@/ui/classes";
import { announce } from "@/ui/live";
import { messages as shared } from "@/ui/messages";
import { Page } from "@/ui/page";
import { Empty, Failure } from "@/ui/states";

import { countOf, productsQuery } from "./catalog";
import { FilterPanel } from "./filterPanel";
import { type Filters, isNarrowed, readFilters, type Sort, SORTS, writeFilters } from "./filters";
import { messages } from "./messages";
import { pageMessages } from "./pageMessages";
import { GRID, ProductCard, ProductCardSkeleton } from "./productCard";

/** The `lg` breakpoint of the styles, from which the filters stand next to the list. */
const WIDE = window.matchMedia("(min-width: 64rem)");

function subscribeToWidth(listener: () => void): () => void {
  WIDE.addEventListener("change", listener);
  return () => WIDE.removeEventListener("change", listener);
}

/** `/products`: the products that match the filters in the address. */
export function Component() {
  const t = useMessages(messages);
  const p = useMessages(pageMessages);
  const { more } = useMessages(shared);
  const isWide = useSyncExternalStore(subscribeToWidth, () => WIDE.matches);
  const [query, setQuery] = useSearchParams();
  const filters = readFilters(query);
  const change = (next: Filters) => setQuery(writeFilters(next), { preventScrollReset: true, flushSync: true });
  const { data, error, refetch, isPlaceholderData, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({
    ...productsQuery(filters),
    placeholderData: keepPreviousData,
  });
  const first = data?.pages[0];
  const products = data?.pages.flatMap((page) => page.items);
  const count = first && !isPlaceholderData ? countOf(first, filters.category) : undefined;
  useEffect(() => {
    if (count !== undefined) announce(t.products(count));
  }, [count, t]);

  const { category } = filters;
  const categoryName = category && (t.categories[category] ?? first?.facets.categories.find(({ slug }) => slug === category)?.name);
  const panel = (
    <FilterPanel filters={filters} page={first} currency={products?.[0]?.price.currency ?? "EUR"} onChange={change} />
  );
  return (
    <Page title={filters.q ? p.resultsFor(filters.q) : categoryName || p.shop}>
      <div className="grid items-start gap-6 lg:grid-cols-[15rem_1fr] lg:gap-10">
        <aside aria-label={p.filters} className="lg:sticky lg:top-24">
          {isWide ? (
            panel
          ) : (
            <details className="rounded-2xl border border-line bg-surface">
              <summary className="px-4 py-3 font-semibold">
                {p.filters}
                {isNarrowed(filters) && <span aria-hidden> ●</span>}
              </summary>
              <div className="border-t border-line p-4">{panel}</div>
            </details>
          )}
        </aside>
        <section aria-labelledby="products" aria-busy={isPlaceholderData} className="grid gap-5">
          <h2 id="products" className="sr-only">
            {p.products}
          </h2>
          <div className="flex flex-wrap items-center justify-between gap-3">
            <p className="num flex min-h-10 items-center gap-2 text-muted">
              {count !== undefined && t.products(count)}
              {filters.q && (
                <Button look="quiet" onClick={() => change({ ...filters, q: "" })}>
                  {p.clearSearch}
                </Button>
              )}
            </p>
            <SortBox filters={filters} onChange={change} />
          </div>
          {error && !products ? (
            <Failure error={error} onRetry={() => void refetch()} />
          ) : products?.length === 0 ? (
            <Empty
              title={p.nothing}
              action={
                isNarrowed(filters) ? (
                  <Button look="primary" onClick={() => change({ ...(filters.q && { q: filters.q }) })}>
                    {p.clear}
                  </Button>
                ) : (
                  <ButtonLink to="/products" look="primary">
                    {p.showAll}
                  </ButtonLink>
                )
              }
            >
              {p.nothingText}
            </Empty>
          ) : (
            <div className={classes(GRID, "transition-opacity", isPlaceholderData && "opacity-60")}>
              {products?.map((product, index) => <ProductCard key={product.sku} product={product} isFirst={index < 4} />) ??
                Array.from({ length: 8 }, (_, index) => <ProductCardSkeleton key={index} />)}
            </div>
          )}
          {error && products && <Failure error={error} onRetry={() => void refetch()} />}
          {hasNextPage && (
            <div className="grid justify-center pt-2">
              <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()} className="px-8">
                {more}
              </Button>
            </div>
          )}
        </section>
      </div>
    </Page>
  );
}

function SortBox({ filters, onChange }: { filters: Filters; onChange: (filters: Filters) => void }) {
  const p = useMessages(pageMessages);
  const id = useId();
  const defaultSort: Sort = filters.q ? "relevance" : "name";
  return (
    <span className="flex items-center gap-2 text-sm">
      <label htmlFor={id}>{p.sort}</label>
      <select
        id={id}
        value={filters.sort ?? defaultSort}
        onChange={({ target }) => onChange({ ...filters, sort: target.value as Sort })}
        className="min-h-10 rounded-lg border border-edge bg-surface px-3 py-2"
      >
        {SORTS.filter((sort) => sort !== "relevance" || filters.q).map((sort) => (
          <option key={sort} value={sort}>
            {p.sorts[sort]}
          </option>
        ))}
      </select>
    </span>
  );
}
