import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";

import { Problem } from "@/api/problem";

import { type Order, orderKey, orderQuery, type OrderSagas, withNews } from "./api";
import { type Change, type Connection, followOrder } from "./events";

/** An order as it happens. While its stream cannot be had it is asked for every two seconds, so the page never stands still. */
export function useOrderEvents(id: string) {
  const queries = useQueryClient();
  const [connection, setConnection] = useState<Connection>("connecting");
  const [changes, setChanges] = useState<readonly Change[]>([]);
  const [news, setNews] = useState<{ order?: Order | null; saga?: OrderSagas | null }>();
  const isAway = connection === "connecting" || connection === "reconnecting";
  const { data, error, refetch } = useQuery({
    ...orderQuery(id),
    refetchInterval: ({ state }) => isAway && !isFinal(state.error) && 2000,
  });

  // An order that is not there, or somebody else's, has no stream to ask for either.
  const isKnown = data !== undefined;
  useEffect(() => {
    if (!isKnown) return;
    return followOrder(id, {
      onSnapshot: setNews,
      onChange: (change) => {
        setChanges((before) => (before.some((known) => known.id === change.id) ? before : [...before, change]));
        if (change.order) setNews(change);
      },
      onConnection: setConnection,
    });
  }, [id, isKnown]);

  const order = useMemo(() => data && withNews(data, news?.order, news?.saga), [data, news]);
  useEffect(() => {
    if (!order || order === data) return;
    queries.setQueryData(orderKey(id), order);
    // The payment is another service's, and not in the stream.
    if (order.updated_at !== data?.updated_at) void queries.invalidateQueries({ queryKey: orderKey(id) });
  }, [id, order, data, queries]);

  return { order, saga: order?.saga ?? undefined, changes, connection, error, refetch: () => void refetch() };
}

function isFinal(error: Error | null): boolean {
  return error instanceof Problem && !error.mayPass;
}
