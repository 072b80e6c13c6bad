import { queryOptions } from "@tanstack/react-query";

import { api, call } from "@/api/client";

/** The user's saved addresses. One page holds them all, because an account has at most 50. */
export const addressesQuery = queryOptions({
  queryKey: ["account", "addresses", "all"],
  queryFn: async ({ signal }) =>
    (await call(api.GET("/v1/users/me/addresses", { params: { query: { limit: 100 } }, signal }))).items,
});
