import { useQuery } from "@tanstack/react-query";

import { api, call, type Schemas } from "@/api/client";

export type MetricsSummary = Schemas["MetricsSummary"];
export type AuditReport = Schemas["Report"];
export type Invariant = Schemas["Invariant"];
export type Fault = Schemas["FaultView"];
export type Upstream = Awaited<ReturnType<typeof readUpstreams>>["items"][number];
/** What keeps a route of the gateway from asking a service that fails. */
export type Breaker = Upstream["breakers"][number];

/** The figures that the overview and the navigation show. */
export function useSummary() {
  return useQuery({
    queryKey: ["admin", "summary"],
    queryFn: ({ signal }) => call(api.GET("/v1/admin/metrics-summary", { signal })),
    refetchInterval: 10_000,
  });
}

/** What must always hold, and whether it does. */
export function useAudit() {
  return useQuery({
    queryKey: ["admin", "audit"],
    queryFn: ({ signal }) => call(api.GET("/v1/admin/audit", { signal })),
    refetchInterval: 30_000,
  });
}

export function readUpstreams(signal: AbortSignal) {
  return call(api.GET("/v1/admin/upstreams", { signal }));
}
