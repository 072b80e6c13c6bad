import { queryOptions } from "@tanstack/react-query";

import { api, call, type Schemas } from "@/api/client";
import type { Product } from "@/cart/useCart";
import type { Locale } from "@/i18n";

/** An order, without data of other services. */
export type Order = Schemas["Order"];
/** A saga with its steps. */
export type Saga = Schemas["SagaView"];
/** The saga of an order's checkout, with the sagas of its returns. */
export type OrderSagas = Schemas["OrderSagas"];
/** A step of a saga in one direction, forward (`do`) or compensating (`undo`). */
export type Step = Schemas["StepView"];
/** A payment with its refunds. */
export type Payment = Schemas["Payment"];

/** An order joined with data of other services. If a service is unavailable, its part is null and named in `degraded`. */
export interface JoinedOrder extends Order {
  readonly lines: (Schemas["OrderLine"] & { product?: Product | null })[];
  readonly payment?: Payment | null;
  readonly saga?: OrderSagas | null;
  readonly degraded: readonly string[];
}

/** The query key of one order. */
export const orderKey = (id: string) => ["orders", "one", id] as const;

/** One order, joined with data of other services. */
export function orderQuery(id: string) {
  return queryOptions({
    queryKey: orderKey(id),
    queryFn: async ({ client, queryKey, signal }) => {
      const params = { path: { id } };
      const fresh = (await call(api.GET("/v1/orders/{id}", { params, signal }))) as unknown as JoinedOrder;
      // The event stream may have delivered newer data while this request was running.
      const known = client.getQueryData<JoinedOrder>(queryKey);
      return known ? mergeNewer(fresh, known, known.saga) : fresh;
    },
  });
}

/** Returns `known` updated with the order and the saga, as far as they are newer. */
export function mergeNewer(known: JoinedOrder, order: Order | null | undefined, saga: OrderSagas | null | undefined): JoinedOrder {
  let next = known;
  if (order && isLater(order.updated_at, known.updated_at)) {
    const { lines, payment, degraded } = known;
    next = { ...order, lines, degraded, payment: payment ?? null, saga: known.saga ?? null };
  }
  if (saga && (!known.saga || isLater(lastChangeOf(saga), lastChangeOf(known.saga)))) next = { ...next, saga };
  return next;
}

function lastChangeOf({ updated_at, returns }: OrderSagas): string {
  return returns.reduce((last, saga) => (isLater(saga.updated_at, last) ? saga.updated_at : last), updated_at);
}

/** Whether time `a` is after `b`. The API omits trailing zeros of the fraction, so the `Z` must not be compared. */
export function isLater(a: string, b: string): boolean {
  return a.replace("Z", "") > b.replace("Z", "");
}

/** Returns the name of an order line. The name at the time of the order exists in English only; German uses the current name. */
export function lineName({ name, product }: Pick<JoinedOrder["lines"][number], "name" | "product">, locale: Locale): string {
  return locale === "en" ? name : (product?.name ?? name);
}

/** Returns the total number of items. */
export function countItems(items: readonly { quantity: number }[]): number {
  return items.reduce((sum, { quantity }) => sum + quantity, 0);
}
