import { queryOptions, useIsMutating, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";

import { api, call, type Schemas } from "@/api/client";
import type { Money } from "@/i18n/format";
import { session } from "@/session/session";
import { useIsResuming, useSession } from "@/session/useSession";

import { type CartLine, guestCart, withQuantity } from "./guestCart";

/** A product as the catalog lists it. */
export type Product = Schemas["ListedProduct"];

/** A line with its current product data and availability; null if the respective service is unavailable. */
export interface CartItem extends CartLine {
  readonly product?: Product | null;
  readonly availability?: { readonly available: number; readonly in_stock: boolean } | null;
  readonly line_total?: Money | null;
}

/** A cart with its prices. */
export interface Cart {
  readonly items: readonly CartItem[];
  readonly total?: Money | null;
  /** The parts that are missing because a service is unavailable: `products` or `availability`. */
  readonly degraded: readonly string[];
}

/** The largest quantity that an order line may have. */
export const MAX_QUANTITY = 99;

const CHANGES = ["cart", "change"];
const MERGE = ["cart", "merge"];

interface Change extends CartLine {
  /** The product, if known, so that a new line is shown before the server responds. */
  readonly product?: Product | null | undefined;
}

const key = (user: string | undefined) => ["cart", user ?? "guest"] as const;

const cartQuery = (user: string | undefined) =>
  queryOptions({
    queryKey: key(user),
    queryFn: async () => (await call(api.GET("/v1/cart"))) as unknown as Cart,
  });

/** The cart of the user or guest. Changes are optimistic and are rolled back if the server rejects them. */
export function useCart() {
  const user = useSession()?.userId;
  const queries = useQueryClient();
  const guestLines = useSyncExternalStore(guestCart.subscribe, guestCart.lines);
  const guestSkus = guestLines.map((line) => line.sku).toSorted();
  const mine = useQuery({
    ...cartQuery(user),
    enabled: user !== undefined,
    // Poll until the missing services have recovered.
    refetchInterval: ({ state }) => (state.data && state.data.degraded.length > 0 ? 10_000 : false),
  });
  const forGuest = useQuery({
    queryKey: ["catalog", "cart", guestSkus],
    queryFn: async () => await call(api.GET("/v1/products", { params: { query: { skus: guestSkus.join(","), limit: 100 } } })),
    enabled: user === undefined && guestSkus.length > 0,
    placeholderData: (before) => before,
  });

  const change = useMutation({
    mutationKey: CHANGES,
    // Sequentially, so that the last change wins.
    scope: { id: "cart" },
    mutationFn: async ({ sku, quantity }: Change) => {
      if (user === undefined) {
        guestCart.set(sku, quantity);
      } else if (quantity === 0) {
        await call(api.DELETE("/v1/cart/items/{sku}", { params: { path: { sku } } }));
      } else {
        await call(api.PUT("/v1/cart/items/{sku}", { params: { path: { sku } }, body: { quantity } }));
      }
    },
    onMutate: async (next) => {
      await queries.cancelQueries({ queryKey: key(user) });
      const before = queries.getQueryData<Cart>(key(user));
      if (before) queries.setQueryData(key(user), withChange(before, next));
      return before?.items.find((item) => item.sku === next.sku);
    },
    // Roll back this line only, because other lines may have changed since.
    onError: (_error, { sku }, before) => {
      queries.setQueryData<Cart>(key(user), (now) => now && withChange(now, { sku, quantity: before?.quantity ?? 0, ...before }));
    },
    onSettled: () => {
      // Only after the last change; an earlier response would show the cart without the later changes.
      if (queries.isMutating({ mutationKey: CHANGES }) === 1) void queries.invalidateQueries({ queryKey: key(user) });
    },
  });

  const clear = useMutation({
    mutationFn: async () => {
      if (user === undefined) guestCart.clear();
      else await call(api.DELETE("/v1/cart"));
    },
    onSettled: () => queries.invalidateQueries({ queryKey: key(user) }),
  });

  const isResuming = useIsResuming();
  const isMerging = useIsMutating({ mutationKey: MERGE }) > 0;

  const guest: Cart = withTotals({
    items: guestLines.map((line) => ({
      ...line,
      product: forGuest.data?.items.find((product) => product.sku === line.sku) ?? null,
    })),
    degraded: forGuest.error ? ["products"] : [],
  });
  const cart = user === undefined ? guest : mine.data;
  const source = user === undefined ? forGuest : mine;
  return {
    cart,
    /** The total quantity of all lines. */
    count: cart?.items.reduce((sum, item) => sum + item.quantity, 0) ?? 0,
    // While the guest cart is being merged, an empty cart is not final.
    isPending: isResuming || source.isLoading || (isMerging && cart?.items.length === 0),
    error: source.error,
    refetch: () => void source.refetch(),
    /** Sets a line's quantity; 0 removes the line. Rejects with a `Problem` if the server refuses. */
    setQuantity: (sku: string, quantity: number, product?: Product) => change.mutateAsync({ sku, quantity, product }),
    quantityOf: (sku: string) => quantityIn(cart?.items, sku),
    /** The quantity in the cart, after loading the cart if necessary. */
    fetchQuantity: async (sku: string) =>
      quantityIn(user === undefined ? guestCart.lines() : (await queries.ensureQueryData(cartQuery(user))).items, sku),
    clear: () => clear.mutateAsync(),
  };
}

function quantityIn(lines: readonly CartLine[] | undefined, sku: string): number {
  return lines?.find((line) => line.sku === sku)?.quantity ?? 0;
}

function withChange(cart: Cart, { sku, quantity, product }: Change): Cart {
  const items = withQuantity<CartItem>(cart.items, sku, quantity);
  return withTotals({
    ...cart,
    items: product ? items.map((item) => (item.sku === sku && !item.product ? { ...item, product } : item)) : items,
  });
}

/** Recalculates the line totals and the total. The total is null if a price is unknown. */
function withTotals(cart: Cart): Cart {
  const items = cart.items.map((item) => ({
    ...item,
    line_total: item.product ? { ...item.product.price, amount: item.product.price.amount * item.quantity } : null,
  }));
  const currency = items[0]?.line_total?.currency;
  const isComplete = items.every((item) => item.line_total?.currency === currency);
  const amount = items.reduce((sum, item) => sum + (item.line_total?.amount ?? 0), 0);
  return { ...cart, items, total: currency && isComplete ? { amount, currency } : null };
}

/** Merges the guest cart into the user's cart after signing in. The shell calls it exactly once. */
export function useMergeGuestCart(): void {
  const user = useSession()?.userId;
  const queries = useQueryClient();
  const { mutate } = useMutation({
    mutationKey: MERGE,
    scope: { id: "cart" },
    mutationFn: async (owner: string) => {
      if (guestCart.lines().length === 0) return;
      const kept = ((await call(api.GET("/v1/cart"))) as unknown as Cart).items;
      for (const line of guestCart.lines()) {
        const quantity = Math.min(MAX_QUANTITY, quantityIn(kept, line.sku) + line.quantity);
        await call(api.PUT("/v1/cart/items/{sku}", { params: { path: { sku: line.sku } }, body: { quantity } }));
        // Line by line, so that no line is lost or added twice if this is interrupted.
        if (session.current()?.userId === owner) guestCart.set(line.sku, 0);
      }
    },
    onSettled: (_data, _error, owner) => queries.invalidateQueries({ queryKey: key(owner) }),
  });
  useEffect(() => {
    if (user !== undefined && guestCart.lines().length > 0) mutate(user);
  }, [user, mutate]);
}
