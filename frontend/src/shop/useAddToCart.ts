import { textOf } from "@/api/problemTexts";
import { MOST, type Product, useCart } from "@/cart/useCart";
import { useLocale, useMessages } from "@/i18n";
import { notify } from "@/ui/live";

import { messages } from "./messages";

/** Puts more of a product into the cart and says so, as far as there is more of it. */
export function useAddToCart() {
  const t = useMessages(messages);
  const { locale } = useLocale();
  const { quantityOf, quantityNow, setQuantity } = useCart();
  const add = async (product: Product, more: number): Promise<void> => {
    try {
      const had = await quantityNow(product.sku);
      const quantity = Math.min(had + more, product.available, MOST);
      if (quantity <= had) {
        notify(t.most, "bad");
        return;
      }
      await setQuantity(product.sku, quantity, product);
      notify(t.added(product.name));
    } catch (error) {
      notify(t.notAdded(textOf(error, locale)), "bad");
    }
  };
  return { add, quantityOf };
}
