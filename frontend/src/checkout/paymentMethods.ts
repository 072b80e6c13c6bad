import { queryOptions } from "@tanstack/react-query";

import { api, call, type Schemas } from "@/api/client";

export type PaymentMethod = Schemas["PaymentMethod"];

/** The ways to pay; the same for everybody. */
export const paymentMethodsQuery = queryOptions({
  queryKey: ["catalog", "payment-methods"],
  queryFn: async ({ signal }) => (await call(api.GET("/v1/payment-methods", { signal }))).items,
  staleTime: 300_000,
});

/** Only the demo has cards that misbehave on purpose. */
export function isDemo(methods: readonly PaymentMethod[] | undefined): boolean {
  return methods?.some(({ id }) => id === "pm_card_declined") ?? false;
}
