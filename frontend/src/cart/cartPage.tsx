import { useMessages } from "@/i18n";
import { ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";
import { Page } from "@/ui/page";
import { Empty, Failure } from "@/ui/states";

import { CartLines, CartSkeleton, CartTotal } from "./cartLines";
import { messages } from "./messages";
import { useCart } from "./useCart";

/** `/cart`: the lines of the cart and their total. */
export function Component() {
  const t = useMessages(messages);
  const { cart, count, isPending, error, refetch, setQuantity } = useCart();
  return (
    <Page title={t.title} lead={count > 0 ? t.items(count) : undefined}>
      {isPending ? (
        <Card className="max-w-3xl">
          <CartSkeleton />
        </Card>
      ) : cart && cart.items.length > 0 ? (
        <div className="grid items-start gap-6 lg:grid-cols-[1fr_20rem]">
          <Card>
            <CartLines cart={cart} setQuantity={setQuantity} />
          </Card>
          <Card aria-label={t.summary} className="grid gap-4 lg:sticky lg:top-24">
            <CartTotal cart={cart} />
            <ButtonLink to="/checkout" look="primary" className="text-base">
              {t.checkout}
            </ButtonLink>
            <ButtonLink to="/products" look="quiet">
              {t.browse}
            </ButtonLink>
          </Card>
        </div>
      ) : error ? (
        <Failure error={error} onRetry={refetch} />
      ) : (
        <Empty
          title={t.empty}
          action={
            <ButtonLink to="/products" look="primary">
              {t.browse}
            </ButtonLink>
          }
        >
          {t.emptyText}
        </Empty>
      )}
    </Page>
  );
}
