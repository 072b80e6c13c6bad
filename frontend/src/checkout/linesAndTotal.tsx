import type { Cart } from "@/cart/useCart";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Picture } from "@/ui/picture";

import { messages } from "./messages";

/** The lines of the cart and their total, read-only. */
export function LinesAndTotal({ cart }: { cart: Cart }) {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <div className="grid gap-4">
      <ul className="grid gap-3">
        {cart.items.map(({ sku, quantity, product, line_total }) => (
          <li key={sku} className="grid grid-cols-[3rem_1fr_auto] items-center gap-3">
            {product ? (
              <Picture src={product.image} className="rounded-lg" />
            ) : (
              <span className="aspect-square rounded-lg bg-raised" />
            )}
            <span>
              <span className="num text-muted">{t.quantity(quantity)}</span> {product?.name ?? sku}
            </span>
            <span className="num font-medium">{line_total ? format.money(line_total) : "–"}</span>
          </li>
        ))}
      </ul>
      <p className="flex items-baseline justify-between gap-4 border-t border-line pt-3 text-lg font-semibold">
        {t.total}
        <span className="num">{cart.total ? format.money(cart.total) : "–"}</span>
      </p>
    </div>
  );
}
