import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { useLocale, useMessages } from "@/i18n";
import type { Order } from "@/orders/api";
import { announce } from "@/ui/live";

import { KEY, latestQuery, type NotificationList, targetOf } from "./api";
import { messages } from "./messages";

/** Milliseconds between polls normally. */
const SLOW = 30_000;
/** Milliseconds between polls after an order has changed, until its notification has arrived through Kafka. */
const FAST = 2_000;
/** How long to poll fast after a change of an order, in milliseconds. */
const FAST_FOR = 12_000;
/** Milliseconds between polls after a failure. Long, because the browser logs each failure to its console. */
const AFTER_FAILURE = 300_000;

/** Polls the latest notifications, and polls faster after an order in the cache has changed its status. */
export function useLatest() {
  const { locale } = useLocale();
  const queries = useQueryClient();
  const fastUntil = useRef(0);
  const query = useQuery({
    ...latestQuery(locale),
    placeholderData: keepPreviousData,
    retry: false,
    refetchOnWindowFocus: ({ state }) => state.status !== "error",
    refetchInterval: ({ state }) => {
      if (state.status === "error") return AFTER_FAILURE;
      return Date.now() < fastUntil.current ? FAST : SLOW;
    },
  });

  useEffect(() => {
    const statuses = new Map<string, string>();
    return queries.getQueryCache().subscribe(({ type, query: { queryKey, state } }) => {
      if (type !== "updated" || queryKey[0] !== "orders" || queryKey[1] !== "one" || !state.data) return;
      const { id, status, created_at } = state.data as Order;
      // The first known status of a new order may already be its last.
      const before = statuses.get(id) ?? (Date.now() - Date.parse(created_at) < FAST_FOR ? "pending" : status);
      statuses.set(id, status);
      if (before === status) return;
      fastUntil.current = Date.now() + FAST_FOR;
      void queries.invalidateQueries({ queryKey: [...KEY, "latest"] });
    });
  }, [queries]);

  useAnnounceNew(query.data);
  return query;
}

/** Announces new notifications in one message, except those about the order that the page shows. */
function useAnnounceNew(list: NotificationList | undefined): void {
  const t = useMessages(messages);
  const queries = useQueryClient();
  const known = useRef<ReadonlySet<string>>(undefined);
  useEffect(() => {
    if (!list) return;
    const before = known.current;
    known.current = new Set(list.items.map(({ id }) => id));
    const fresh = before ? list.items.filter(({ id, read_at }) => !read_at && !before.has(id)) : [];
    if (fresh.length > 0) void queries.invalidateQueries({ queryKey: [...KEY, "list"] });
    const toAnnounce = fresh.filter((item) => !item.order_id || !window.location.pathname.startsWith(targetOf(item)));
    if (toAnnounce[0]) announce(toAnnounce.length === 1 ? toAnnounce[0].title : t.news(toAnnounce.length));
  }, [list, queries, t]);
}
