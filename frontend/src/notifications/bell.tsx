import { useRef } from "react";
import { Link } from "react-router";

import { useMessages } from "@/i18n";
import { Button, IconButton } from "@/ui/button";
import { messages as shared } from "@/ui/messages";
import { Skeleton } from "@/ui/skeleton";

import { Item } from "./item";
import { messages } from "./messages";
import { useLatest } from "./useLatest";
import { useMarkRead } from "./useMarkRead";

const ID = "notifications";

/** The number of unread notifications, with the latest in a native popover. If the service is unavailable, no number is shown. */
export function Bell() {
  const t = useMessages(messages);
  const panel = useRef<HTMLElement>(null);
  const { data, isPending, refetch } = useLatest();
  const markRead = useMarkRead();
  const unread = data?.unread ?? 0;
  const close = () => panel.current?.hidePopover();
  return (
    <>
      <IconButton label={t.bell(unread)} popoverTarget={ID} className="relative">
        <svg aria-hidden width="22" height="22" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.8">
          <path d="M6 10a6 6 0 0 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7z" strokeLinejoin="round" />
          <path d="M10 20.5a2.2 2.2 0 0 0 4 0" strokeLinecap="round" />
        </svg>
        {unread > 0 && (
          <span
            aria-hidden
            className="num absolute -top-0.5 -right-0.5 min-w-5 rounded-full bg-accent px-1 text-center text-xs leading-5 font-bold text-on-accent"
          >
            {unread > 99 ? "99+" : unread}
          </span>
        )}
      </IconButton>
      <section
        ref={panel}
        id={ID}
        popover="auto"
        aria-label={t.title}
        onToggle={({ newState }) => {
          if (newState === "open") void refetch();
        }}
        className="fixed inset-auto top-16 right-4 m-0 max-h-[75dvh] w-[min(24rem,calc(100vw-2rem))] overflow-y-auto rounded-xl border border-line bg-surface p-1.5 text-ink shadow-xl sm:right-16"
      >
        <div className="flex min-h-10 flex-wrap items-center justify-between gap-x-3 pl-3">
          <h2 className="font-display text-lg font-semibold">{t.title}</h2>
          {unread > 0 && (
            <Button look="quiet" className="px-3" onClick={() => markRead()}>
              {t.readAll}
            </Button>
          )}
        </div>
        {isPending ? (
          <ListSkeleton />
        ) : !data ? (
          <Unavailable onRetry={() => void refetch()} />
        ) : data.items.length === 0 ? (
          <p className="px-3 py-4 text-sm text-muted">{t.noneText}</p>
        ) : (
          <ul>
            {data.items.map((notification) => (
              <li key={notification.id}>
                <Item
                  notification={notification}
                  onOpen={() => {
                    close();
                    markRead(notification);
                  }}
                />
              </li>
            ))}
          </ul>
        )}
        <Link
          to="/notifications"
          onClick={close}
          className="mt-1 block border-t border-line px-3 py-2.5 text-sm font-semibold text-accent hover:underline"
        >
          {t.all}
        </Link>
      </section>
    </>
  );
}

function ListSkeleton() {
  return (
    <div className="grid gap-2 p-3" aria-busy>
      {["a", "b", "c"].map((key) => (
        <Skeleton key={key} className="h-14" />
      ))}
    </div>
  );
}

function Unavailable({ onRetry }: { onRetry: () => void }) {
  const t = useMessages(messages);
  const { tryAgain } = useMessages(shared);
  return (
    <div className="grid justify-items-start gap-3 px-3 py-3 text-sm">
      <p className="text-muted">{t.unavailable}</p>
      <Button onClick={onRetry}>{tryAgain}</Button>
    </div>
  );
}
