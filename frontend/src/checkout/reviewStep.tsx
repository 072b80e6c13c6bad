import type { ReactNode } from "react";
import { Link } from "react-router";

import { type Cart, useCart } from "@/cart/useCart";
import { useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { Button, ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";

import { AddressText } from "./addressText";
import type { Address, Attempt } from "./draft";
import { LinesAndTotal } from "./linesAndTotal";
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

/** The last step: review everything and place the order. */
export function ReviewStep({ user, address, payment, attempt }: Props) {
  const t = useMessages(messages);
  const { cart } = useCart();
  const order = usePlaceOrder(user);
  const paymentName = usePaymentName(payment);
  const items = cart?.items ?? [];
  const place = () => order.mutate({ address, payment, items });
  const problem = order.error instanceof Problem ? order.error : undefined;
  // The server has rejected the request for now and placed no order.
  const isRejectedForNow = problem?.status === 503 || problem?.status === 429;
  // The response is missing, for example after a reload. Repeating the attempt cannot place a second order.
  const isUnconfirmed = attempt !== undefined && !order.isPending && !isRejectedForNow;
  const obstacle = cart && obstacleFor(cart);
  return (
    <div className="grid gap-4">
      <Card className="grid gap-5">
        {cart && items.length > 0 && (
          <Section title={t.items} to="/cart">
            <LinesAndTotal cart={cart} />
          </Section>
        )}
        <Section title={t.shipTo} to="?step=address">
          <p className="grid">
            <AddressText address={address} />
          </p>
        </Section>
        <Section title={t.payWith} to="?step=payment">
          <p className="font-semibold">{paymentName}</p>
        </Section>
      </Card>
      {problem?.status !== 0 && order.error && (
        <Refusal error={order.error} changes={order.changes} onRetry={isRejectedForNow ? place : undefined} />
      )}
      {isUnconfirmed ? (
        <div role="status" className="grid gap-3 rounded-2xl border border-saffron/40 bg-saffron-soft p-5">
          <p className="font-semibold">{t.unconfirmed}</p>
          <p>{t.unconfirmedText}</p>
          <div className="flex flex-wrap gap-3">
            <Button look="primary" onClick={place}>
              {t.checkAgain}
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
          {!isRejectedForNow && (
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
          )}
        </>
      )}
    </div>
  );
}

/** Returns what prevents the order, or will make it fail. Too little stock does not prevent it, because a rejection is worth watching. */
function obstacleFor({ items, degraded }: Cart): "noPrices" | "gone" | "tooMany" | undefined {
  if (degraded.includes("products")) return "noPrices";
  if (items.some(({ product }) => product === null)) return "gone";
  const isShort = items.some(({ availability, product, quantity }) => {
    const available = availability?.available ?? product?.available;
    return available !== undefined && available < quantity;
  });
  return isShort ? "tooMany" : undefined;
}

function Section({ title, to, children }: { title: string; to: string; children: ReactNode }) {
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
