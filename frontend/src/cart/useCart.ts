import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";

import { api, call, type Schemas } from "@/api/client";
import type { Money } from "@/i18n/format";
import { session } from "@/session/session";
import { useSession } from "@/session/useSession";

import { type CartLine, guestCart, withQuantity } from "./guestCart";

export type Product = Schemas["ListedProduct"];

/** A line with what the catalog and the stock say of it now; null where they could not be asked. */
export interface CartItem extends CartLine {
  readonly product?: Product | null;
  readonly availability?: { readonly available: number; readonly in_stock: boolean } | null;
  readonly line_total?: Money | null;
}

export interface Cart {
  readonly items: readonly CartItem[];
  readonly total?: Money | null;
  /** The parts that could not be had. */
  readonly degraded: readonly string[];
}

/** As many of one thing as an order takes. */
export const MOST = 99;

const key = (user: string | undefined) => ["cart", user ?? "guest"] as const;

/** The cart of whoever is here, and how to change it. Changes show at once, and go back where they are refused. */
export function useCart() {
  const user = useSession()?.userId;
  const queries = useQueryClient();
  const guestLines = useSyncExternalStore(guestCart.subscribe, guestCart.lines);
  const guestSkus = guestLines.map((line) => line.sku).toSorted();
  const mine = useQuery({
    queryKey: key(user),
    queryFn: async () => (await call(api.GET("/v1/cart"))) as unknown as Cart,
    enabled: user !== undefined,
  });
  const forGuest = useQuery({
    queryKey: ["catalog", "cart", guestSkus],
    queryFn: async () => await call(api.GET("/v1/products", { params: { query: { skus: guestSkus.join(","), limit: 100 } } })),
    enabled: user === undefined && guestSkus.length > 0,
    placeholderData: (before) => before,
  });

  const change = useMutation({
    mutationFn: async ({ sku, quantity }: { sku: string; quantity: number }) => {
      if (user === undefined) {
        guestCart.set(sku, quantity);
      } else if (quantity === 0) {
        await call(api.DELETE("/v1/cart/items/{sku}", { params: { path: { sku } } }));
      } else {
        await call(api.PUT("/v1/cart/items/{sku}", { params: { path: { sku } }, body: { quantity } }));
      }
    },
    onMutate: async ({ sku, quantity }) => {
      await queries.cancelQueries({ queryKey: key(user) });
      const before = queries.getQueryData<Cart>(key(user));
      if (before) queries.setQueryData(key(user), recount({ ...before, items: withQuantity(before.items, sku, quantity) }));
      return before;
    },
    onError: (_error, _change, before) => {
      if (before) queries.setQueryData(key(user), before);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: key(user) }),
  });

  const clear = useMutation({
    mutationFn: async () => {
      if (user === undefined) guestCart.clear();
      else await call(api.DELETE("/v1/cart"));
    },
    onSettled: () => queries.invalidateQueries({ queryKey: key(user) }),
  });

  const guest: Cart = recount({
    items: guestLines.map((line) => ({
      ...line,
      product: forGuest.data?.items.find((product) => product.sku === line.sku) ?? null,
    })),
    degraded: [],
  });
  const cart = user === undefined ? guest : mine.data;
  const source = user === undefined ? forGuest : mine;
  return {
    cart,
    /** Of all lines together. */
    count: cart?.items.reduce((sum, item) => sum + item.quantity, 0) ?? 0,
    isPending: source.isLoading,
    error: source.error,
    refetch: () => void source.refetch(),
    /** Sets a line's quantity; 0 takes it out. Rejects with the problem where it is refused. */
    setQuantity: (sku: string, quantity: number) => change.mutateAsync({ sku, quantity }),
    quantityOf: (sku: string) => cart?.items.find((item) => item.sku === sku)?.quantity ?? 0,
    clear: () => clear.mutateAsync(),
  };
}

/** The sums, as far as prices are known. */
function recount(cart: Cart): Cart {
  const items = cart.items.map((item) => ({
    ...item,
    line_total: item.product ? { ...item.product.price, amount: item.product.price.amount * item.quantity } : null,
  }));
  const currency = items[0]?.line_total?.currency;
  const isWhole = items.every((item) => item.line_total?.currency === currency);
  const amount = items.reduce((sum, item) => sum + (item.line_total?.amount ?? 0), 0);
  return { ...cart, items, total: currency && isWhole ? { amount, currency } : null };
}

/** Moves what a guest put aside into the account's cart at sign-in. Used once, by the shell. */
export function useAdoptGuestCart(): void {
  const user = useSession()?.userId;
  const queries = useQueryClient();
  useEffect(() => {
    if (user === undefined || guestCart.lines().length === 0) return;
    void (async () => {
      const kept = ((await call(api.GET("/v1/cart"))) as unknown as Cart).items;
      for (const line of guestCart.lines()) {
        const had = kept.find((item) => item.sku === line.sku)?.quantity ?? 0;
        const quantity = Math.min(MOST, had + line.quantity);
        await call(api.PUT("/v1/cart/items/{sku}", { params: { path: { sku: line.sku } }, body: { quantity } }));
        // One by one, so that a line is neither lost nor added twice when this stops half-way.
        if (session.current()?.userId === user) guestCart.set(line.sku, 0);
      }
    })()
      .catch(() => undefined)
      .finally(() => void queries.invalidateQueries({ queryKey: key(user) }));
  }, [user, queries]);
}
