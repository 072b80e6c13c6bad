import { QueryClient } from "@tanstack/react-query";

import { Problem } from "./problem";

/** What was asked and answered. A refusal is final; what may pass is tried twice more. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failures, error) => failures < 2 && (!(error instanceof Problem) || error.mayPass),
      retryDelay: (failures) => 400 * 2 ** failures,
    },
    mutations: { retry: false },
  },
});
