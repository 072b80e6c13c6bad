import { keepPreviousData, type QueryKey, useInfiniteQuery } from "@tanstack/react-query";
import type { ComponentProps, ReactNode } from "react";

import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";
import { Failure } from "@/ui/states";

import { messages } from "./messages";
import { Table } from "./table";

interface ApiPage<T> {
  items: T[];
  next_cursor?: string | null;
}

/** Loads a paginated list of the API; `rows` contains the rows of all loaded pages. */
export function usePages<T>(
  queryKey: QueryKey,
  page: (cursor: { cursor?: string }, signal: AbortSignal) => Promise<ApiPage<T>>,
  refetchInterval: number | false = false,
) {
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => page(pageParam === undefined ? {} : { cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval,
  });
  return { ...query, rows: query.data?.pages.flatMap(({ items }) => items) ?? [] };
}

type Pages<T> = ReturnType<typeof usePages<T>>;

/** A paginated list as a table, with its loading, error and empty states. */
export function ListTable<T>({
  pages,
  empty,
  ...table
}: { pages: Pages<T>; empty: ReactNode } & Omit<ComponentProps<typeof Table<T>>, "rows">) {
  const t = useMessages(messages);
  if (pages.isPending) return <TableSkeleton label={t.loading} />;
  if (pages.error && pages.rows.length === 0) {
    return <Failure error={pages.error} onRetry={() => void pages.refetch()} />;
  }
  if (pages.rows.length === 0) return empty;
  return (
    <div className="grid gap-4" aria-busy={pages.isPlaceholderData}>
      {pages.error && <Failure error={pages.error} onRetry={() => void pages.refetch()} />}
      <Table {...table} rows={pages.rows} />
      {pages.hasNextPage && (
        <div className="text-center">
          <Button busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            {t.more}
          </Button>
        </div>
      )}
    </div>
  );
}

/** The placeholder for a table that is loading. */
export function TableSkeleton({ label, rows = 8 }: { label: string; rows?: number }) {
  return (
    <div className="grid gap-px overflow-hidden rounded-2xl border border-line bg-surface">
      <span className="sr-only">{label}</span>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="flex gap-6 px-4 py-4">
          <Skeleton className="h-5 w-1/4" />
          <Skeleton className="h-5 w-1/3" />
          <Skeleton className="ml-auto h-5 w-16" />
        </div>
      ))}
    </div>
  );
}
