import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";

import { api, call } from "@/api/client";

// Most visits see none.
const FaultList = lazy(() => import("./faultList"));

/** What an operator broke on purpose, on every page while it is broken. */
export function FaultBanner() {
  const { data } = useQuery({
    queryKey: ["catalog", "faults"],
    // Outside demo mode nothing can be broken on purpose, and the list is empty.
    queryFn: async ({ signal }) => (await call(api.GET("/v1/faults", { signal }))).items,
    refetchInterval: 15_000,
    retry: false,
  });
  if (!data || data.length === 0) return null;
  return (
    <Suspense fallback={null}>
      <FaultList faults={data} />
    </Suspense>
  );
}
