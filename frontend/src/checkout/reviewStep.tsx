import type { ReactNode } from "react";
import { Link } from "react-router";

import { type Cart, useCart } from "@/cart/useCart";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Picture } from "@/shop/picture";
import { Button, ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";

import { AddressText } from "./addressText";
import type { Address, Attempt } from "./draft";
import { messages } from "./messages";
import { usePaymentName } from "./paymentStep";
import { Refusal } from "./refusal";
import { usePlaceOrder } from "./usePlaceOrder";

interface Props {
  user: string;
  address: Address;
  payment: string;
  attempt: Attempt | undefined;
}

/** Everything once more, and the order. */
export function ReviewStep({ user, address, payment, attempt }: Props) {
  const t = useMessages(messages);
  const { cart } = useCart();
  const order = usePlaceOrder(user);
  const paymentName = usePaymentName(payment);
  const items = cart?.items ?? [];
  const place = () => order.mutate({ address, payment, items });
  // A card's answer may be lost, and the page left in between: then it is asked again, not ordered again.
  const isUnanswered = attempt !== undefined && !order.isPending;
  const obstacle = cart && obstacleOf(cart);
  return (
    <div className="grid gap-4">
      <Card className="grid gap-5">
        {items.length > 0 && (
          <Part title={t.items} to="/cart">
            <Lines items={items} />
          </Part>
        )}
        <Part title={t.shipTo} to="?step=address">
          <p className="grid">
            <AddressText address={address} />
          </p>
        </Part>
        <Part title={t.payWith} to="?step=payment">
          <p className="font-semibold">{paymentName}</p>
        </Part>
      </Card>
      {order.error && <Refusal error={order.error} changes={order.changes} />}
      {isUnanswered ? (
        <div role="status" className="grid gap-3 rounded-2xl border border-saffron/40 bg-saffron-soft p-5">
          <p className="font-semibold">{t.unanswered}</p>
          <p>{t.unansweredText}</p>
          <div className="flex flex-wrap gap-3">
            <Button look="primary" onClick={place}>
              {t.askAgain}
            </Button>
            <ButtonLink to="/orders">{t.myOrders}</ButtonLink>
          </div>
        </div>
      ) : (
        <>
          {obstacle && (
            <p role="status" className="flex gap-2 rounded-xl bg-saffron-soft px-4 py-3 text-sm font-medium text-saffron">
              <span aria-hidden>▲</span>
              {t[obstacle]}
            </p>
          )}
          <div>
            <Button
              look="primary"
              busy={order.isPending}
              disabled={obstacle === "gone" || items.length === 0}
              onClick={place}
              className="w-full px-10 text-base sm:w-auto"
            >
              {order.isPending ? t.placing : t.place}
            </Button>
          </div>
        </>
      )}
    </div>
  );
}

/** What stands in the way of the order, or will. Too little stock stops nobody: it is worth watching. */
function obstacleOf({ items, degraded }: Cart): "noPrices" | "gone" | "tooMany" | undefined {
  if (degraded.includes("products")) return "noPrices";
  if (items.some(({ product }) => product === null)) return "gone";
  const isShort = items.some(({ availability, product, quantity }) => {
    const available = availability?.available ?? product?.available;
    return available !== undefined && available < quantity;
  });
  return isShort ? "tooMany" : undefined;
}

function Part({ title, to, children }: { title: string; to: string; children: ReactNode }) {
  const t = useMessages(messages);
  return (
    <section className="grid gap-2 border-t border-line pt-5 first:border-0 first:pt-0">
      <div className="flex items-baseline justify-between gap-4">
        <h3 className="text-sm font-semibold text-muted">{title}</h3>
        <Link to={to} aria-label={t.changeOf(title)} className="text-sm font-semibold text-accent underline-offset-4 hover:underline">
          {t.change}
        </Link>
      </div>
      {children}
    </section>
  );
}

/** The cart's lines, to be read only. */
export function Lines({ items }: { items: Cart["items"] }) {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <ul className="grid gap-3">
      {items.map(({ sku, quantity, product, line_total }) => (
        <li key={sku} className="grid grid-cols-[3rem_1fr_auto] items-center gap-3">
          {product ? <Picture src={product.image} className="rounded-lg" /> : <span className="aspect-square rounded-lg bg-raised" />}
          <span>
            <span className="num text-muted">{t.quantity(quantity)}</span> {product?.name ?? sku}
          </span>
          <span className="num font-medium">{line_total ? format.money(line_total) : "–"}</span>
        </li>
      ))}
    </ul>
  );
}
