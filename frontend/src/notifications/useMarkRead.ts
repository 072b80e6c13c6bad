import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { notify } from "@/ui/live";

import { changeLists, KEY, type Notification } from "./api";
import { messages } from "./messages";

const MARK = [...KEY, "mark"];

/** Returns a function that marks one notification, or all, as read. The change is optimistic and is rolled back on failure. */
export function useMarkRead(): (one?: Notification) => void {
  const t = useMessages(messages);
  const queries = useQueryClient();
  const { mutate } = useMutation({
    mutationKey: MARK,
    mutationFn: async (one: Notification | undefined) => {
      if (one) await call(api.POST("/v1/notifications/{id}/read", { params: { path: { id: one.id } } }));
      else await call(api.POST("/v1/notifications/read"));
    },
    onMutate: async (one) => {
      // The response to an earlier request would show it as unread again.
      await queries.cancelQueries({ queryKey: KEY });
      const before = queries.getQueriesData({ queryKey: KEY });
      const read_at = new Date().toISOString();
      changeLists(queries, (list) => ({
        ...list,
        items: list.items.map((item) => (item.read_at || (one && item.id !== one.id) ? item : { ...item, read_at })),
        unread: one ? Math.max(0, list.unread - 1) : 0,
      }));
      return before;
    },
    onError: (_error, _one, before) => {
      for (const [key, data] of before ?? []) queries.setQueryData(key, data);
      notify(t.notMarked, "bad");
    },
    onSettled: () => {
      // Only after the last of several changes; a response to an earlier one would miss the later ones.
      if (queries.isMutating({ mutationKey: MARK }) === 1) void queries.invalidateQueries({ queryKey: KEY });
    },
  });
  return (one) => {
    if (!one?.read_at) mutate(one);
  };
}
