import { MAX_QUANTITY, type Product, useCart } from "@/cart/useCart";
import { useLocale, useMessages } from "@/i18n";
import { messageFor } from "@/problem/texts";
import { notify } from "@/ui/live";

import { messages } from "./messages";

/** Returns a function that adds to the quantity in the cart, up to the available number, and notifies the user. */
export function useAddToCart() {
  const t = useMessages(messages);
  const { locale } = useLocale();
  const { quantityOf, fetchQuantity, setQuantity } = useCart();
  const add = async (product: Product, more: number): Promise<void> => {
    try {
      const before = await fetchQuantity(product.sku);
      const quantity = Math.min(before + more, product.available, MAX_QUANTITY);
      if (quantity <= before) {
        notify(t.most, "bad");
        return;
      }
      await setQuantity(product.sku, quantity, product);
      notify(t.added(product.name));
    } catch (error) {
      notify(t.notAdded(messageFor(error, locale)), "bad");
    }
  };
  return { add, quantityOf };
}
