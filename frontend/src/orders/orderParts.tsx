import { lazy, type ReactNode, Suspense } from "react";
import { Link } from "react-router";

import { messages as checkout } from "@/checkout/messages";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { useIsAdmin } from "@/session/useSession";
import { Badge } from "@/ui/badge";
import { Card } from "@/ui/card";
import { Picture } from "@/ui/picture";

import { type JoinedOrder, lineName, countItems, type Saga } from "./api";
import { describeReturn, reasonOf } from "./describeSaga";
import { messages } from "./messages";
import { isAwaitingItems } from "./returnable";
import { SagaView } from "./sagaView";

/** Loaded for operators only. */
const DecideReturn = lazy(() => import("./decideReturn"));

function Heading({ children }: { children: ReactNode }) {
  return <h2 className="mb-4 text-xl font-semibold">{children}</h2>;
}

/** A list of labels with values. Empty values are omitted. */
function Facts({ of }: { of: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1.5 text-sm">
      {of.map(([name, value]) =>
        value ? (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="num text-right">{value}</dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}

/** The lines of the order, with the prices at the time of the order. */
export function Lines({ order }: { order: JoinedOrder }) {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <Card aria-labelledby="items">
      <h2 id="items" className="mb-2 text-xl font-semibold">
        {t.items}
      </h2>
      <ul className="divide-y divide-line">
        {order.lines.map(({ quantity, unit_price, line_total, ...line }) => (
          <li key={line.sku} className="flex items-center gap-4 py-4">
            <div className="size-16 shrink-0">
              {line.product?.image ? (
                <Picture src={line.product.image} />
              ) : (
                <span aria-hidden className="grid size-16 place-items-center rounded-xl bg-raised font-display text-2xl text-muted">
                  {lineName(line, format.locale)[0]}
                </span>
              )}
            </div>
            <div className="min-w-0 flex-1">
              <Link to={`/products/${encodeURIComponent(line.sku)}`} className="font-medium hover:underline">
                {lineName(line, format.locale)}
              </Link>
              <p className="num text-sm text-muted">
                {quantity} × {format.money(unit_price)}
              </p>
            </div>
            <p className="num font-medium">{format.money(line_total)}</p>
          </li>
        ))}
      </ul>
      <p className="num flex justify-between border-t border-line pt-4 text-lg font-semibold">
        <span>{t.total}</span>
        <span>{format.money(order.total)}</span>
      </p>
    </Card>
  );
}

/** The payment of the order and its refunds. */
export function PaymentPart({ order }: { order: JoinedOrder }) {
  const t = useMessages(messages);
  const format = useFormat();
  const { methods } = useMessages(checkout);
  const { payment } = order;
  const refunds = payment?.refunds ?? [];
  return (
    <Card>
      <Heading>{t.payment}</Heading>
      <Facts
        of={[
          [t.method, methods[order.payment_method]?.name ?? order.payment_method],
          [t.authorized, payment && format.money(payment.authorized)],
          [t.captured, payment && format.money(payment.captured)],
          [t.failure, payment?.failure && reasonOf({ reason: payment.failure.code, detail: payment.failure.message }, format.locale)],
          [t.refunded, payment && payment.refunded.amount > 0 && format.money(payment.refunded)],
        ]}
      />
      {order.degraded.includes("payment") && <p className="mt-2 text-sm text-muted">{t.paymentUnavailable}</p>}
      {refunds.length > 0 && (
        <>
          <h3 className="mt-4 mb-2 text-sm font-semibold">{t.refunds}</h3>
          <ul className="grid gap-2 text-sm">
            {refunds.map(({ id, amount, status, reason, created_at }) => (
              <li key={id} className="flex flex-wrap items-baseline justify-between gap-x-3">
                <span className="num">{format.money(amount)}</span>
                <Badge tone={status === "succeeded" ? "good" : status === "failed" ? "bad" : "waiting"}>
                  {t.refundStatuses[status]}
                </Badge>
                <span className="basis-full text-muted">
                  {format.day(created_at)} · {reason}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}

/** The shipping address and the shipment. */
export function DeliveryPart({ order: { shipping_address: to, shipment } }: { order: JoinedOrder }) {
  const t = useMessages(messages);
  const format = useFormat();
  const country = new Intl.DisplayNames(format.locale, { type: "region" }).of(to.country) ?? to.country;
  return (
    <Card>
      <Heading>{t.address}</Heading>
      <address className="text-sm leading-relaxed not-italic">
        {[to.name, to.line1, to.line2, `${to.postal_code} ${to.city}`, to.region, country, to.phone].map(
          (line) =>
            line && (
              <span key={line} className="block">
                {line}
              </span>
            ),
        )}
      </address>
      {shipment && (
        <>
          <h3 className="mt-4 mb-2 text-sm font-semibold">{t.shipment}</h3>
          <Facts
            of={[
              [t.carrier, shipment.carrier],
              [t.tracking, shipment.tracking_number],
              [t.shippedAt, format.moment(shipment.shipped_at)],
              [t.deliveredAt, shipment.delivered_at && format.moment(shipment.delivered_at)],
            ]}
          />
        </>
      )}
    </Card>
  );
}

/** The order's returns. Operators can also decide about returns that are waiting for their items. */
export function ReturnsPart({ order }: { order: JoinedOrder }) {
  const t = useMessages(messages);
  const isAdmin = useIsAdmin();
  const format = useFormat();
  if (order.returns.length === 0) return null;
  const sagaOf = (id: string) => order.saga?.returns.find((saga) => saga.id === id);
  const nameOf = (sku: string) => {
    const line = order.lines.find((other) => other.sku === sku);
    return line ? lineName(line, format.locale) : sku;
  };
  return (
    <Card>
      <Heading>{t.returns}</Heading>
      <ul className="grid gap-4 text-sm">
        {order.returns.map((one) => (
          <li key={one.id} className="grid gap-1">
            <span className="flex flex-wrap items-center justify-between gap-2">
              <span className="num font-medium">{format.money(one.amount)}</span>
              <Badge tone={one.status === "completed" ? "good" : one.status === "refused" ? "bad" : "waiting"}>
                {t.returnStatuses[one.status]}
              </Badge>
            </span>
            {sagaOf(one.id) ? null : <span>{isAdmin && isAwaitingItems(one) ? t.decide : describeReturn(one, format.locale).text}</span>}
            <span>{one.lines.map(({ sku, quantity }) => `${quantity} × ${nameOf(sku)}`).join(", ")}</span>
            <span className="text-muted">
              {format.moment(one.created_at)} · {one.reason}
            </span>
            <ReturnSaga saga={sagaOf(one.id)} count={countItems(one.lines)} />
            {isAdmin && isAwaitingItems(one) && (
              <Suspense>
                <DecideReturn order={order.id} id={one.id} amount={one.amount} />
              </Suspense>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** The steps of a return's saga, if it has started. */
function ReturnSaga({ saga, count }: { saga: Saga | undefined; count: number }) {
  return (
    saga && (
      <div className="mt-2">
        <SagaView saga={saga} count={count} isCompact />
      </div>
    )
  );
}
