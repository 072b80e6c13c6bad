import { useInfiniteQuery } from "@tanstack/react-query";

import { useLocale, useMessages } from "@/i18n";
import { RequireUser } from "@/session/requireUser";
import { Button, ButtonLink } from "@/ui/button";
import { messages as shared } from "@/ui/messages";
import { Page } from "@/ui/page";
import { Skeleton } from "@/ui/skeleton";
import { Empty, Failure } from "@/ui/states";

import { listQuery } from "./api";
import { Item } from "./item";
import { messages } from "./messages";
import { useMarkRead } from "./useMarkRead";

/** `/notifications`: all notifications, newest first. */
export function Component() {
  return (
    <RequireUser>
      <Notifications />
    </RequireUser>
  );
}

function Notifications() {
  const t = useMessages(messages);
  const { more } = useMessages(shared);
  const list = useInfiniteQuery(listQuery(useLocale().locale));
  const markRead = useMarkRead();
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const unread = list.data?.pages[0]?.unread ?? 0;
  return (
    <Page
      title={t.title}
      lead={t.lead}
      actions={unread > 0 && <Button onClick={() => markRead()}>{t.readAll}</Button>}
    >
      {list.isPending ? (
        <div className="grid max-w-3xl gap-2" aria-busy>
          {["a", "b", "c", "d", "e"].map((key) => (
            <Skeleton key={key} className="h-20 rounded-xl" />
          ))}
        </div>
      ) : items.length > 0 ? (
        <ul className="grid max-w-3xl divide-y divide-line rounded-2xl border border-line bg-surface p-1.5">
          {items.map((notification) => (
            <li key={notification.id}>
              <Item notification={notification} onOpen={() => markRead(notification)} />
            </li>
          ))}
        </ul>
      ) : (
        !list.isError && (
          <Empty
            title={t.none}
            action={
              <ButtonLink to="/products" look="primary">
                {t.toShop}
              </ButtonLink>
            }
          >
            {t.noneText}
          </Empty>
        )
      )}
      {list.isError && (
        <>
          <Failure
            error={list.error}
            onRetry={() => void (list.isFetchNextPageError ? list.fetchNextPage() : list.refetch())}
          />
          {items.length === 0 && (
            <div>
              <ButtonLink to="/orders">{t.toOrders}</ButtonLink>
            </div>
          )}
        </>
      )}
      {list.hasNextPage && !list.isError && (
        <div>
          <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {more}
          </Button>
        </div>
      )}
    </Page>
  );
}
