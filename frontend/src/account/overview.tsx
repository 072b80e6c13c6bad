import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";

import { api, call, type Schemas } from "@/api/client";
import { usePaymentName } from "@/checkout/paymentStep";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { reasonOf } from "@/orders/describeSaga";
import { OrderStatus, PaymentStatus } from "@/orders/status";
import { ButtonLink } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";
import { Empty, Failure } from "@/ui/states";

import { messages } from "./messages";
import { Section } from "./section";

/** The joined account. If a service is unavailable, its part is null and named in `degraded`. */
interface Account {
  readonly profile: Schemas["Profile"];
  readonly orders: readonly Schemas["Order"][] | null;
  readonly payments: readonly Schemas["Payment"][] | null;
  readonly degraded: readonly string[];
}

/** A greeting with the most recent orders and payments. */
export function Overview() {
  const t = useMessages(messages);
  const format = useFormat();
  const { data, error, refetch } = useQuery({
    queryKey: ["account", "overview"],
    queryFn: async ({ signal }) => (await call(api.GET("/v1/account", { signal }))) as unknown as Account,
  });
  if (error) return <Failure error={error} onRetry={() => void refetch()} />;
  if (!data) return <OverviewSkeleton />;
  const { profile, orders, payments } = data;
  return (
    <div className="grid content-start gap-8">
      <div>
        <h2 className="text-2xl font-semibold">{t.hello(profile.name)}</h2>
        <p className="text-muted">
          {profile.email} · {t.since(format.day(profile.created_at))}
        </p>
      </div>
      <Section
        title={t.lastOrders}
        action={
          <ButtonLink to="/orders" look="quiet" className="-mx-4">
            {t.allOrders}
          </ButtonLink>
        }
      >
        {orders ? <Orders orders={orders} /> : <Unavailable />}
      </Section>
      <Section title={t.lastPayments}>{payments ? <Payments payments={payments} /> : <Unavailable />}</Section>
    </div>
  );
}

function Orders({ orders }: { orders: readonly Schemas["Order"][] }) {
  const t = useMessages(messages);
  const format = useFormat();
  if (orders.length === 0) {
    return (
      <Empty
        title={t.noOrders}
        action={
          <ButtonLink to="/products" look="primary">
            {t.toShop}
          </ButtonLink>
        }
      >
        {t.noOrdersText}
      </Empty>
    );
  }
  return (
    <Rows>
      {orders.map((order) => (
        <Row
          key={order.id}
          to={`/orders/${order.id}`}
          title={(order.lines[0]?.name ?? "") + (order.lines.length > 1 ? ` + ${order.lines.length - 1}` : "")}
          text={`${format.moment(order.created_at)} · ${t.items(order.lines.reduce((sum, line) => sum + line.quantity, 0))}`}
          status={<OrderStatus order={order} />}
          amount={format.money(order.total)}
        />
      ))}
    </Rows>
  );
}

function Payments({ payments }: { payments: readonly Schemas["Payment"][] }) {
  const t = useMessages(messages);
  if (payments.length === 0) return <p className="text-muted">{t.noPayments}</p>;
  return (
    <Rows>
      {payments.map((payment) => (
        <PaymentRow key={payment.id} payment={payment} />
      ))}
    </Rows>
  );
}

function PaymentRow({ payment }: { payment: Schemas["Payment"] }) {
  const t = useMessages(messages);
  const format = useFormat();
  const method = usePaymentName(payment.payment_method);
  const { failure, captured, authorized, refunded } = payment;
  const reason = failure && reasonOf({ reason: failure.code, detail: failure.message }, format.locale);
  const amount = captured.amount > 0 ? captured : authorized;
  const refund = refunded.amount > 0 ? ` · ${t.refundedOf(format.money(refunded))}` : "";
  return (
    <Row
      to={`/orders/${payment.order_id}`}
      title={reason ?? method}
      text={format.moment(payment.created_at) + refund}
      status={<PaymentStatus order={{ payment_status: orderPaymentStatus(payment.status) }} />}
      amount={amount.amount > 0 ? format.money(amount) : "–"}
    />
  );
}

/** Maps a payment's status to that of its order, where a change in progress has not happened yet. */
function orderPaymentStatus(status: Schemas["Payment"]["status"]): Schemas["Order"]["payment_status"] {
  switch (status) {
    case "created":
    case "authorizing":
      return "pending";
    case "capturing":
    case "voiding":
      return "authorized";
    case "expired":
      return "voided";
    default:
      return status;
  }
}

function Rows({ children }: { children: ReactNode }) {
  return (
    <ul className="divide-y divide-line overflow-hidden rounded-2xl border border-line bg-surface">{children}</ul>
  );
}

interface RowProps extends Record<"to" | "title" | "text" | "amount", string> {
  status: ReactNode;
}

function Row({ to, title, text, status, amount }: RowProps) {
  return (
    <li>
      <Link
        to={to}
        className="flex items-center justify-between gap-4 px-4 py-3 -outline-offset-3 hover:bg-raised sm:px-5"
      >
        <span className="min-w-0">
          <span className="block font-medium break-words">{title}</span>
          <span className="block text-sm text-muted">{text}</span>
        </span>
        <span className="flex shrink-0 flex-col items-end gap-1 sm:flex-row sm:items-center">
          <span className="sm:w-40">{status}</span>
          <span className="num font-medium sm:w-24 sm:text-right">{amount}</span>
        </span>
      </Link>
    </li>
  );
}

function Unavailable() {
  const t = useMessages(messages);
  return (
    <p role="status" className="flex gap-2 rounded-2xl bg-saffron-soft px-5 py-4 text-sm font-medium text-saffron">
      <span aria-hidden>◔</span>
      {t.partMissing}
    </p>
  );
}

function OverviewSkeleton() {
  return (
    <div className="grid content-start gap-8">
      <div className="grid gap-2">
        <Skeleton className="h-8 w-56" />
        <Skeleton className="h-5 w-72" />
      </div>
      {[0, 1].map((part) => (
        <div key={part} className="grid gap-4">
          <Skeleton className="h-8 w-44" />
          <Skeleton className="h-80 rounded-2xl" />
        </div>
      ))}
    </div>
  );
}
