import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";

import { api, call } from "@/api/client";

// Loaded only when a fault is active, which is rare.
const FaultList = lazy(() => import("./faultList"));

/** Shows the faults that an operator has injected, on every page until they expire. */
export function FaultBanner() {
  const { data } = useQuery({
    queryKey: ["catalog", "faults"],
    // Outside demo mode the list is always empty.
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
