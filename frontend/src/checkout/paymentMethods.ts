import { queryOptions } from "@tanstack/react-query";

import { api, call, type Schemas } from "@/api/client";

/** A way to pay; test cards name their outcome. */
export type PaymentMethod = Schemas["PaymentMethod"];

/** All payment methods, which are the same for every user. */
export const paymentMethodsQuery = queryOptions({
  queryKey: ["catalog", "payment-methods"],
  queryFn: async ({ signal }) => (await call(api.GET("/v1/payment-methods", { signal }))).items,
  staleTime: 300_000,
});

/** Whether the shop runs in demo mode, the only mode that offers test cards. */
export function isDemo(methods: readonly PaymentMethod[] | undefined): boolean {
  return methods?.some(({ id }) => id === "pm_card_declined") ?? false;
}
