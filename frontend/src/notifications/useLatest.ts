import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { useLocale, useMessages } from "@/i18n";
import type { Order } from "@/orders/api";
import { announce } from "@/ui/live";

import { KEY, latestQuery, type NotificationList, placeOf } from "./api";
import { messages } from "./messages";

const CALM = 30_000;
/** After an order moved, until what tells of it came through the log of events. */
const EAGER = 2_000;
const EAGER_FOR = 12_000;
/** While the service is away: whoever shops has no use for it, and each refusal is a line in the browser's console. */
const AWAY = 300_000;

/** The latest notifications, kept fresh: asked for now and then, and soon after an order that is on the screen moved. */
export function useLatest() {
  const { locale } = useLocale();
  const queries = useQueryClient();
  const eagerUntil = useRef(0);
  const query = useQuery({
    ...latestQuery(locale),
    placeholderData: keepPreviousData,
    retry: false,
    refetchOnWindowFocus: ({ state }) => state.status !== "error",
    refetchInterval: ({ state }) => {
      if (state.status === "error") return AWAY;
      return Date.now() < eagerUntil.current ? EAGER : CALM;
    },
  });

  useEffect(() => {
    const statuses = new Map<string, string>();
    return queries.getQueryCache().subscribe(({ type, query: { queryKey, state } }) => {
      if (type !== "updated" || queryKey[0] !== "orders" || queryKey[1] !== "one" || !state.data) return;
      const { id, status, created_at } = state.data as Order;
      // The first that is seen of a new order may be its end.
      const before = statuses.get(id) ?? (Date.now() - Date.parse(created_at) < EAGER_FOR ? "pending" : status);
      statuses.set(id, status);
      if (before === status) return;
      eagerUntil.current = Date.now() + EAGER_FOR;
      void queries.invalidateQueries({ queryKey: [...KEY, "latest"] });
    });
  }, [queries]);

  useNews(query.data);
  return query;
}

/** Says what is new since the last time, all of it at once, but for what the page in view tells already. */
function useNews(list: NotificationList | undefined): void {
  const t = useMessages(messages);
  const queries = useQueryClient();
  const known = useRef<ReadonlySet<string>>(undefined);
  useEffect(() => {
    if (!list) return;
    const before = known.current;
    known.current = new Set(list.items.map(({ id }) => id));
    const fresh = before ? list.items.filter(({ id, read_at }) => !read_at && !before.has(id)) : [];
    if (fresh.length > 0) void queries.invalidateQueries({ queryKey: [...KEY, "list"] });
    const told = fresh.filter((item) => !item.order_id || !window.location.pathname.startsWith(placeOf(item)));
    if (told[0]) announce(told.length === 1 ? told[0].title : t.news(told.length));
  }, [list, queries, t]);
}
