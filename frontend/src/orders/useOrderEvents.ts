import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";

import { Problem } from "@/problem";

import { type Order, orderKey, orderQuery, type OrderSagas, mergeNewer } from "./api";
import { type Change, type Connection, followOrder } from "./events";

/** Returns an order with live updates. While its event stream is unavailable, the order is polled every two seconds. */
export function useOrderEvents(id: string) {
  const queries = useQueryClient();
  const [connection, setConnection] = useState<Connection>("connecting");
  const [changes, setChanges] = useState<readonly Change[]>([]);
  const [update, setUpdate] = useState<{ order?: Order | null; saga?: OrderSagas | null }>();
  const isDisconnected = connection === "connecting" || connection === "reconnecting";
  const { data, error, refetch } = useQuery({
    ...orderQuery(id),
    refetchInterval: ({ state }) => isDisconnected && !isFinal(state.error) && 2000,
  });

  // An order that does not exist, or belongs to another user, has no stream.
  const hasOrder = data !== undefined;
  useEffect(() => {
    if (!hasOrder) return;
    return followOrder(id, {
      onSnapshot: setUpdate,
      onChange: (change) => {
        setChanges((before) => (before.some((known) => known.id === change.id) ? before : [...before, change]));
        if (change.order) setUpdate(change);
      },
      onConnection: setConnection,
    });
  }, [id, hasOrder]);

  const order = useMemo(() => data && mergeNewer(data, update?.order, update?.saga), [data, update]);
  useEffect(() => {
    if (!order || order === data) return;
    queries.setQueryData(orderKey(id), order);
    // The stream does not contain the payment, which belongs to another service.
    if (order.updated_at !== data?.updated_at) void queries.invalidateQueries({ queryKey: orderKey(id) });
  }, [id, order, data, queries]);

  return { order, saga: order?.saga ?? undefined, changes, connection, error, refetch: () => void refetch() };
}

function isFinal(error: Error | null): boolean {
  return error instanceof Problem && !error.isRetryable;
}
