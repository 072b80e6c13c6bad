import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { api, call, type Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { session } from "@/session/session";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { notify } from "@/ui/live";
import { Skeleton } from "@/ui/skeleton";
import { Failure } from "@/ui/states";

import { Confirm } from "./confirm";
import { messages } from "./messages";
import { Section } from "./section";

/** The list of active sessions, with buttons to sign out. */
export function Sessions() {
  const t = useMessages(messages);
  const navigate = useNavigate();
  const [isAsking, setAsking] = useState(false);
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ["account", "sessions"],
    queryFn: ({ pageParam, signal }) =>
      call(
        api.GET("/v1/users/me/sessions", {
          params: { query: { limit: 10, ...(pageParam && { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });
  const signOut = async () => {
    await navigate("/");
    notify(t.signedOut);
    await session.signOut();
  };
  return (
    <Section title={t.tabs.sessions} lead={t.sessionsLead}>
      <div className="flex flex-wrap gap-3">
        <Button onClick={() => void signOut()}>{t.signOutHere}</Button>
        <Button look="danger" onClick={() => setAsking(true)}>
          {t.signOutEverywhere}
        </Button>
      </div>
      {error && <Failure error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton className="h-64 rounded-2xl" />}
      {data && (
        <ul className="divide-y divide-line rounded-2xl border border-line bg-surface">
          {data.pages.flatMap(({ items }) => items.map((item) => <SessionRow key={item.id} of={item} />))}
        </ul>
      )}
      {hasNextPage && (
        <div>
          <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {t.more}
          </Button>
        </div>
      )}
      {isAsking && (
        <Confirm
          title={t.signOutEverywhereQuestion}
          text={t.signOutEverywhereText}
          action={t.signOutEverywhere}
          onConfirm={async () => {
            await call(api.DELETE("/v1/users/me/sessions"));
            await navigate("/");
            session.end();
            notify(t.signedOutEverywhere);
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </Section>
  );
}

function SessionRow({ of }: { of: Schemas["Session"] }) {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 py-3 sm:px-5">
      <div>
        <p className="font-medium">{t.signedInSince(format.moment(of.created_at))}</p>
        <p className="text-sm text-muted">{t.lastUsed(format.moment(of.last_used_at))}</p>
      </div>
      {of.current && <Badge tone="good">{t.thisDevice}</Badge>}
    </li>
  );
}
