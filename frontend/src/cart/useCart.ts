import { queryOptions, useIsMutating, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";

import { api, call, type Schemas } from "@/api/client";
import type { Money } from "@/i18n/format";
import { session } from "@/session/session";
import { useIsArriving, useSession } from "@/session/useSession";

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

const CHANGES = ["cart", "change"];
const ADOPTION = ["cart", "adoption"];

interface Change extends CartLine {
  /** What it is, where the one who adds it knows, so that it shows at once. */
  readonly product?: Product | null | undefined;
}

const key = (user: string | undefined) => ["cart", user ?? "guest"] as const;

const cartQuery = (user: string | undefined) =>
  queryOptions({
    queryKey: key(user),
    queryFn: async () => (await call(api.GET("/v1/cart"))) as unknown as Cart,
  });

/** The cart of whoever is here, and how to change it. Changes show at once, and go back where they are refused. */
export function useCart() {
  const user = useSession()?.userId;
  const queries = useQueryClient();
  const guestLines = useSyncExternalStore(guestCart.subscribe, guestCart.lines);
  const guestSkus = guestLines.map((line) => line.sku).toSorted();
  const mine = useQuery({
    ...cartQuery(user),
    enabled: user !== undefined,
    // What is missing comes back by itself.
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
    // One after the other, so that the last word is the last one said.
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
      if (before) queries.setQueryData(key(user), changed(before, next));
      return before?.items.find((item) => item.sku === next.sku);
    },
    // Only this line goes back: others may have been changed since.
    onError: (_error, { sku }, before) => {
      queries.setQueryData<Cart>(key(user), (now) => now && changed(now, { sku, quantity: before?.quantity ?? 0, ...before }));
    },
    onSettled: () => {
      // The cart of before the last change would undo it on the screen.
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

  const isArriving = useIsArriving();
  const isAdopting = useIsMutating({ mutationKey: ADOPTION }) > 0;

  const guest: Cart = recount({
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
    /** Of all lines together. */
    count: cart?.items.reduce((sum, item) => sum + item.quantity, 0) ?? 0,
    // What a guest had is on its way while it is being adopted: an empty cart is not the last word then.
    isPending: isArriving || source.isLoading || (isAdopting && cart?.items.length === 0),
    error: source.error,
    refetch: () => void source.refetch(),
    /** Sets a line's quantity; 0 takes it out. Rejects with the problem where it is refused. */
    setQuantity: (sku: string, quantity: number, product?: Product) => change.mutateAsync({ sku, quantity, product }),
    quantityOf: (sku: string) => quantityIn(cart?.items, sku),
    /** The same of this moment, once the cart is there: what is added to must be known. */
    quantityNow: async (sku: string) =>
      quantityIn(user === undefined ? guestCart.lines() : (await queries.ensureQueryData(cartQuery(user))).items, sku),
    clear: () => clear.mutateAsync(),
  };
}

function quantityIn(lines: readonly CartLine[] | undefined, sku: string): number {
  return lines?.find((line) => line.sku === sku)?.quantity ?? 0;
}

function changed(cart: Cart, { sku, quantity, product }: Change): Cart {
  const items = withQuantity<CartItem>(cart.items, sku, quantity);
  return recount({
    ...cart,
    items: product ? items.map((item) => (item.sku === sku && !item.product ? { ...item, product } : item)) : items,
  });
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
  const { mutate } = useMutation({
    mutationKey: ADOPTION,
    scope: { id: "cart" },
    mutationFn: async (owner: string) => {
      if (guestCart.lines().length === 0) return;
      const kept = ((await call(api.GET("/v1/cart"))) as unknown as Cart).items;
      for (const line of guestCart.lines()) {
        const quantity = Math.min(MOST, quantityIn(kept, line.sku) + line.quantity);
        await call(api.PUT("/v1/cart/items/{sku}", { params: { path: { sku: line.sku } }, body: { quantity } }));
        // One by one, so that a line is neither lost nor added twice when this stops half-way.
        if (session.current()?.userId === owner) guestCart.set(line.sku, 0);
      }
    },
    onSettled: (_data, _error, owner) => queries.invalidateQueries({ queryKey: key(owner) }),
  });
  useEffect(() => {
    if (user !== undefined && guestCart.lines().length > 0) mutate(user);
  }, [user, mutate]);
}
