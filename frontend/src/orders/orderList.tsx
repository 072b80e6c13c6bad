import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { RequireUser } from "@/session/requireUser";
import { Button, ButtonLink } from "@/ui/button";
import { SelectField } from "@/ui/field";
import { messages as shared } from "@/ui/messages";
import { Page } from "@/ui/page";
import { Skeleton } from "@/ui/skeleton";
import { Empty, Failure } from "@/ui/states";

import type { Order } from "./api";
import { messages } from "./messages";
import { OrderStatus, PaymentStatus, shortId } from "./status";

const STATUSES = ["pending", "confirmed", "shipped", "delivered", "rejected", "cancelled", "returned"] as const;

/** `/orders`: the user's orders, newest first. */
export function Component() {
  return (
    <RequireUser>
      <Orders />
    </RequireUser>
  );
}

function Orders() {
  const t = useMessages(messages);
  const [search, setSearch] = useSearchParams();
  const requested = search.get("status");
  const status = STATUSES.find((known) => known === requested);
  const orders = useInfiniteQuery({
    queryKey: ["orders", "list", status ?? "all"],
    queryFn: ({ pageParam, signal }) =>
      call(
        api.GET("/v1/orders", {
          params: { query: { limit: 20, ...(status && { status }), ...(pageParam && { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
    // Orders change without any action of the user.
    staleTime: 0,
  });
  const choose = (next: string) => setSearch(next ? { status: next } : {});
  const items = orders.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page
      title={t.orders}
      actions={
        <SelectField label={t.filter} value={status ?? ""} onChange={(event) => choose(event.target.value)} className="min-w-44">
          <option value="">{t.all}</option>
          {STATUSES.map((known) => (
            <option key={known} value={known}>
              {t.statuses[known]}
            </option>
          ))}
        </SelectField>
      }
    >
      {orders.isPending ? (
        <div className="grid gap-3" aria-busy>
          {["a", "b", "c", "d", "e"].map((key) => (
            <Skeleton key={key} className="h-24 rounded-2xl" />
          ))}
        </div>
      ) : orders.isError && items.length === 0 ? (
        <Failure error={orders.error} onRetry={() => void orders.refetch()} />
      ) : items.length === 0 ? (
        status ? (
          <Empty title={t.noneOf} action={<Button onClick={() => choose("")}>{t.showAll}</Button>}>
            {t.noneOfText}
          </Empty>
        ) : (
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
      ) : (
        <>
          <ul className="grid gap-3">
            {items.map((order) => (
              <li key={order.id}>
                <Row order={order} />
              </li>
            ))}
          </ul>
          {orders.isError && <Failure error={orders.error} onRetry={() => void orders.fetchNextPage()} />}
          <More orders={orders} />
        </>
      )}
    </Page>
  );
}

function More({ orders }: { orders: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown } }) {
  const t = useMessages(shared);
  if (!orders.hasNextPage) return null;
  return (
    <div className="grid justify-items-center">
      <Button busy={orders.isFetchingNextPage} onClick={() => void orders.fetchNextPage()}>
        {t.more}
      </Button>
    </div>
  );
}

function Row({ order }: { order: Order }) {
  const t = useMessages(messages);
  const format = useFormat();
  const first = order.lines.slice(0, 2).map(({ name, quantity }) => (quantity > 1 ? `${quantity} × ${name}` : name));
  const rest = order.lines.length - first.length;
  return (
    <Link
      to={`/orders/${order.id}`}
      className="grid gap-x-6 gap-y-2 rounded-2xl border border-line bg-surface p-5 transition-colors hover:border-accent hover:bg-raised sm:grid-cols-[1fr_auto] sm:items-center"
    >
      <span className="grid min-w-0 gap-1">
        <span className="flex flex-wrap items-baseline gap-x-3">
          <span className="font-semibold">{t.order(shortId(order.id))}</span>
          <span className="text-sm text-muted">{format.moment(order.created_at)}</span>
        </span>
        <span className="truncate text-sm">
          {first.join(", ")}
          {rest > 0 && <span className="text-muted"> {t.more(rest)}</span>}
        </span>
      </span>
      <span className="flex flex-wrap items-center gap-2 sm:justify-end">
        <OrderStatus order={order} />
        <PaymentStatus order={order} />
        <span className="num ml-auto min-w-20 text-right font-semibold sm:ml-2">{format.money(order.total)}</span>
      </span>
    </Link>
  );
}
