import { useMutation } from "@tanstack/react-query";

import { openCart } from "@/cart/drawer";
import { MAX_QUANTITY, useCart } from "@/cart/useCart";
import { useLocale, useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { messageFor } from "@/problem/texts";
import { Button, ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";
import { notify } from "@/ui/live";
import { Page } from "@/ui/page";

import { type JoinedOrder, countItems } from "./api";
import { BreakIt } from "./breakIt";
import { CancelButton } from "./cancelDialog";
import { Copy } from "./copy";
import { messages } from "./messages";
import { OrderFrame } from "./orderFrame";
import { DeliveryPart, Lines, PaymentPart, ReturnsPart } from "./orderParts";
import { ReturnButton } from "./returnDialog";
import { SagaView } from "./sagaView";
import { FulfilmentStatus, LiveStatus, OrderStatus, PaymentStatus, shortId } from "./status";

/** `/orders/:id`: an order with live updates. */
export function Component() {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <OrderFrame title={t.order}>
      {({ order, saga, connection }) => (
        <Page
          title={t.order(shortId(order.id))}
          lead={t.placed(format.moment(order.created_at))}
          actions={
            <>
              <CancelButton order={order} />
              <ReturnButton order={order} />
              <BuyAgain order={order} />
            </>
          }
        >
          <div className="-mt-2 flex flex-wrap items-center gap-2">
            <OrderStatus order={order} />
            <PaymentStatus order={order} />
            <FulfilmentStatus order={order} />
            <LiveStatus connection={connection} />
            <Copy text={order.id} label={t.orderId} shown={order.id} />
          </div>
          {saga && (
            <Card aria-labelledby="checkout" className="grid gap-4">
              <div className="flex flex-wrap items-center justify-between gap-3">
                <h2 id="checkout" className="text-xl font-semibold">
                  {t.checkout}
                </h2>
                <ButtonLink to={`/orders/${order.id}/saga`} look="quiet" className="max-sm:-ml-4">
                  {t.wholeCheckout} <span aria-hidden>→</span>
                </ButtonLink>
              </div>
              <SagaView saga={saga} count={countItems(order.lines)} order={order.status} isCompact />
            </Card>
          )}
          <div className="grid items-start gap-6 lg:grid-cols-[1fr_22rem]">
            <div className="grid gap-6">
              <Lines order={order} />
              <ReturnsPart order={order} />
            </div>
            <div className="grid gap-6">
              <PaymentPart order={order} />
              <DeliveryPart order={order} />
            </div>
          </div>
          <BreakIt order={order} />
        </Page>
      )}
    </OrderFrame>
  );
}

/** A button that adds the order's items to the cart. */
function BuyAgain({ order }: { order: JoinedOrder }) {
  const t = useMessages(messages);
  const { locale } = useLocale();
  const { quantityOf, setQuantity } = useCart();
  const add = useMutation({
    mutationFn: async () => {
      for (const { sku, quantity, product } of order.lines) {
        await setQuantity(sku, Math.min(MAX_QUANTITY, quantityOf(sku) + quantity), product ?? undefined);
      }
    },
    onSuccess: () => {
      notify(t.inCart);
      openCart();
    },
    onError: (error) => notify(t.notInCart(messageFor(error, locale)), "bad"),
  });
  return (
    <Button busy={add.isPending} onClick={() => add.mutate()}>
      {t.buyAgain}
    </Button>
  );
}
