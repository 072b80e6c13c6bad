import { Link } from "react-router";

import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { messageFor } from "@/problem/texts";
import { Button } from "@/ui/button";
import { announce, notify } from "@/ui/live";
import { Picture } from "@/ui/picture";
import { Skeleton } from "@/ui/skeleton";
import { Stepper } from "@/ui/stepper";

import { messages } from "./messages";
import { type Cart, type CartItem, MAX_QUANTITY } from "./useCart";

interface Props {
  cart: Cart;
  setQuantity: (sku: string, quantity: number) => Promise<unknown>;
  /** Called when a link to a product is followed. */
  onNavigate?: (() => void) | undefined;
}

/** The editable lines of the cart. The drawer and the cart page both use it. */
export function CartLines({ cart, setQuantity, onNavigate }: Props) {
  const t = useMessages(messages);
  return (
    <div className="grid gap-4">
      {cart.degraded.length > 0 && (
        <p role="status" className="rounded-xl bg-saffron-soft px-4 py-3 text-sm font-medium text-saffron">
          <span aria-hidden>◔ </span>
          {cart.degraded.includes("products") ? t.noPrices : t.noStock}
        </p>
      )}
      <ul aria-label={t.lines} className="divide-y divide-line">
        {cart.items.map((item) => (
          <Line
            key={item.sku}
            item={item}
            isCatalogDown={cart.degraded.includes("products")}
            setQuantity={setQuantity}
            onNavigate={onNavigate}
          />
        ))}
      </ul>
    </div>
  );
}

interface LineProps extends Omit<Props, "cart"> {
  item: CartItem;
  isCatalogDown: boolean;
}

function Line({ item, isCatalogDown, setQuantity, onNavigate }: LineProps) {
  const t = useMessages(messages);
  const format = useFormat();
  const { product, sku, quantity } = item;
  const name = product?.name ?? sku;
  const warning = useWarning(item, isCatalogDown);
  const change = (next: number) =>
    setQuantity(sku, next).then(
      () => next === 0 && announce(t.removed(name)),
      (error: unknown) => notify(t.refused(messageFor(error, format.locale)), "bad"),
    );
  return (
    <li className="grid grid-cols-[4rem_1fr] gap-3 sm:grid-cols-[5rem_1fr] sm:gap-4 py-4 first:pt-0 last:pb-0">
      {product ? <Picture src={product.image} /> : <div className="aspect-square w-full rounded-xl bg-raised" />}
      <div className="grid content-start gap-2">
        <div className="flex justify-between gap-3">
          <Link to={`/products/${sku}`} onClick={onNavigate} className="leading-snug font-semibold underline-offset-4 hover:underline">
            {name}
          </Link>
          <span className="num font-semibold whitespace-nowrap">{item.line_total ? format.money(item.line_total) : "–"}</span>
        </div>
        {product && <p className="num text-sm text-muted">{t.each(format.money(product.price))}</p>}
        <div className="flex flex-wrap items-center gap-1.5">
          <Stepper label={t.quantityOf(name)} value={quantity} max={MAX_QUANTITY} onChange={(next) => void change(next)} />
          <Button look="quiet" className="px-2!" aria-label={t.removeOf(name)} onClick={() => void change(0)}>
            {t.remove}
          </Button>
        </div>
        {warning && (
          <p className="flex gap-1.5 text-sm text-clay">
            <span aria-hidden>▲</span>
            {warning}
          </p>
        )}
      </div>
    </li>
  );
}

/** Returns a warning if this line is known to be unavailable in its quantity. */
function useWarning({ product, availability, quantity }: CartItem, isCatalogDown: boolean): string | undefined {
  const t = useMessages(messages);
  if (product === null && !isCatalogDown) return t.gone;
  const available = availability?.available ?? product?.available;
  if (available === undefined || available >= quantity) return undefined;
  return available <= 0 ? t.soldOut : t.onlyLeft(available);
}

/** The total of the cart, or a dash if prices are unavailable. */
export function CartTotal({ cart }: { cart: Cart }) {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <div>
      <p className="flex items-baseline justify-between gap-4 text-lg font-semibold">
        {t.total}
        <span className="num">{cart.total ? format.money(cart.total) : "–"}</span>
      </p>
      <p className="text-sm text-muted">{cart.total ? t.totalHint : t.totalUnknown}</p>
    </div>
  );
}

/** The placeholder for the lines of a cart that is loading. */
export function CartSkeleton() {
  return (
    <div className="grid gap-6">
      {Array.from({ length: 2 }, (_, index) => (
        <div key={index} className="grid grid-cols-[4rem_1fr] gap-3 sm:grid-cols-[5rem_1fr] sm:gap-4">
          <Skeleton className="aspect-square w-full" />
          <div className="grid content-start gap-2">
            <Skeleton className="h-5 w-2/3" />
            <Skeleton className="h-5 w-20" />
            <Skeleton className="h-10 w-32" />
          </div>
        </div>
      ))}
    </div>
  );
}
