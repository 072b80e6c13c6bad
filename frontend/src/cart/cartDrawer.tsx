import { useMessages } from "@/i18n";
import { ButtonLink } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Empty, Failure } from "@/ui/states";

import { CartLines, CartSkeleton, CartTotal } from "./cartLines";
import { messages } from "./messages";
import { useCart } from "./useCart";

/** The cart as a drawer over the current page. */
export function CartDrawer({ onClose }: { onClose: () => void }) {
  const t = useMessages(messages);
  const { cart, isPending, error, refetch, setQuantity } = useCart();
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t.title} shape="drawer">
      {isPending ? (
        <CartSkeleton />
      ) : cart && cart.items.length > 0 ? (
        <>
          <CartLines cart={cart} setQuantity={setQuantity} onNavigate={onClose} />
          <div className="sticky -bottom-5 -mx-5 -mb-5 grid gap-3 border-t border-line bg-surface p-5 sm:-bottom-6 sm:-mx-6 sm:-mb-6 sm:p-6">
            <CartTotal cart={cart} />
            <ButtonLink to="/checkout" look="primary" onClick={onClose}>
              {t.checkout}
            </ButtonLink>
            <ButtonLink to="/cart" onClick={onClose}>
              {t.openCart}
            </ButtonLink>
          </div>
        </>
      ) : error ? (
        <Failure error={error} onRetry={refetch} />
      ) : (
        <Empty
          title={t.empty}
          action={
            <ButtonLink to="/products" look="primary" onClick={onClose}>
              {t.browse}
            </ButtonLink>
          }
        >
          {t.emptyText}
        </Empty>
      )}
    </Dialog>
  );
}
