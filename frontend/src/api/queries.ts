import { QueryClient } from "@tanstack/react-query";

import { Problem } from "@/problem";

/** The cache for the API's responses. Queries are retried twice, unless the error is permanent. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failures, error) => failures < 2 && (!(error instanceof Problem) || error.isRetryable),
      retryDelay: (failures) => 400 * 2 ** failures,
    },
    mutations: { retry: false },
  },
});
