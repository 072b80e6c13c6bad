import { queryOptions } from "@tanstack/react-query";

import { api, call, type Schemas } from "@/api/client";
import type { Product } from "@/cart/useCart";
import type { Locale } from "@/i18n";

export type Order = Schemas["Order"];
export type Saga = Schemas["SagaView"];
/** An order's checkout, with the sagas of its returns. */
export type OrderSagas = Schemas["OrderSagas"];
export type Step = Schemas["StepView"];
export type Payment = Schemas["Payment"];

/** An order with what the other services say of it; null, and named in `degraded`, where they could not be asked. */
export interface JoinedOrder extends Order {
  readonly lines: (Schemas["OrderLine"] & { product?: Product | null })[];
  readonly payment?: Payment | null;
  readonly saga?: OrderSagas | null;
  readonly degraded: readonly string[];
}

export const orderKey = (id: string) => ["orders", "one", id] as const;

export function orderQuery(id: string) {
  return queryOptions({
    queryKey: orderKey(id),
    queryFn: async ({ client, queryKey, signal }) => {
      const params = { path: { id } };
      const fresh = (await call(api.GET("/v1/orders/{id}", { params, signal }))) as unknown as JoinedOrder;
      // The stream may have told of more while this answer was on its way.
      const known = client.getQueryData<JoinedOrder>(queryKey);
      return known ? withNews(fresh, known, known.saga) : fresh;
    },
  });
}

/** `known`, with what is newer in an order and a saga; never back. */
export function withNews(known: JoinedOrder, order: Order | null | undefined, saga: OrderSagas | null | undefined): JoinedOrder {
  let next = known;
  if (order && isLater(order.updated_at, known.updated_at)) {
    const { lines, payment, degraded } = known;
    next = { ...order, lines, degraded, payment: payment ?? null, saga: known.saga ?? null };
  }
  if (saga && (!known.saga || isLater(lastMoveOf(saga), lastMoveOf(known.saga)))) next = { ...next, saga };
  return next;
}

function lastMoveOf({ updated_at, returns }: OrderSagas): string {
  return returns.reduce((last, saga) => (isLater(saga.updated_at, last) ? saga.updated_at : last), updated_at);
}

/** Times of the API have as many decimals as they need, so that `Z` must not take part in comparing them. */
export function isLater(a: string, b: string): boolean {
  return a.replace("Z", "") > b.replace("Z", "");
}

/** What was bought, as it was called that day; that is kept in English, so elsewhere it is called what it is called now. */
export function lineName({ name, product }: Pick<JoinedOrder["lines"][number], "name" | "product">, locale: Locale): string {
  return locale === "en" ? name : (product?.name ?? name);
}

/** How many pieces an order has. */
export function pieces(items: readonly { quantity: number }[]): number {
  return items.reduce((sum, { quantity }) => sum + quantity, 0);
}
