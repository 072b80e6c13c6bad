import { type InfiniteData, infiniteQueryOptions, type QueryClient, queryOptions } from "@tanstack/react-query";

import { api, call, type Schemas } from "@/api/client";
import type { Locale } from "@/i18n";

/** A notification about an order or the account, in the language of the request. */
export type Notification = Schemas["Notification"];
/** A page of notifications, with the total number of unread ones. */
export type NotificationList = Schemas["NotificationList"];

/** The prefix of every query key of this folder. */
export const KEY = ["notifications"] as const;
/** Number of notifications that the bell shows. */
const LATEST = 8;
const PAGE = 20;

const readPage = (locale: Locale, limit: number, cursor: string, signal: AbortSignal) =>
  call(
    api.GET("/v1/notifications", {
      params: { query: { limit, ...(cursor && { cursor }) } },
      headers: { "accept-language": locale },
      signal,
    }),
  );

/** The newest notifications, for the bell. */
export function latestQuery(locale: Locale) {
  return queryOptions({
    queryKey: [...KEY, "latest", locale],
    queryFn: ({ signal }) => readPage(locale, LATEST, "", signal),
  });
}

/** All notifications, page by page. */
export function listQuery(locale: Locale) {
  return infiniteQueryOptions({
    queryKey: [...KEY, "list", locale],
    queryFn: ({ pageParam, signal }) => readPage(locale, PAGE, pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
  });
}

/** Applies a change to every cached list, in all languages. */
export function changeLists(queries: QueryClient, change: (list: NotificationList) => NotificationList): void {
  queries.setQueriesData<NotificationList | InfiniteData<NotificationList>>({ queryKey: KEY }, (known) => {
    if (!known) return known;
    return "pages" in known ? { ...known, pages: known.pages.map(change) } : change(known);
  });
}

/** Returns the path that a notification links to. */
export function targetOf({ kind, order_id }: Notification): string {
  if (order_id) return `/orders/${order_id}`;
  return kind === "password_changed" ? "/account?tab=profile" : "/account";
}
