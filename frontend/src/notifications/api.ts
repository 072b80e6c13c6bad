import { type InfiniteData, infiniteQueryOptions, type QueryClient, queryOptions } from "@tanstack/react-query";

import { api, call, type Schemas } from "@/api/client";
import type { Locale } from "@/i18n";

export type Notification = Schemas["Notification"];
export type NotificationList = Schemas["NotificationList"];

export const KEY = ["notifications"] as const;
/** As many as the bell shows. */
const LATEST = 8;
const PAGE = 20;

const ask = (locale: Locale, limit: number, cursor: string, signal: AbortSignal) =>
  call(
    api.GET("/v1/notifications", {
      params: { query: { limit, ...(cursor && { cursor }) } },
      headers: { "accept-language": locale },
      signal,
    }),
  );

export function latestQuery(locale: Locale) {
  return queryOptions({
    queryKey: [...KEY, "latest", locale],
    queryFn: ({ signal }) => ask(locale, LATEST, "", signal),
  });
}

export function listQuery(locale: Locale) {
  return infiniteQueryOptions({
    queryKey: [...KEY, "list", locale],
    queryFn: ({ pageParam, signal }) => ask(locale, PAGE, pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
  });
}

/** Changes every list that is known, whatever its language and its length. */
export function changeLists(queries: QueryClient, change: (list: NotificationList) => NotificationList): void {
  queries.setQueriesData<NotificationList | InfiniteData<NotificationList>>({ queryKey: KEY }, (known) => {
    if (!known) return known;
    return "pages" in known ? { ...known, pages: known.pages.map(change) } : change(known);
  });
}

/** Where one leads to. */
export function placeOf({ kind, order_id }: Notification): string {
  if (order_id) return `/orders/${order_id}`;
  return kind === "password_changed" ? "/account?tab=profile" : "/account";
}
