import { useQuery } from "@tanstack/react-query";

import { api, call, type Schemas } from "@/api/client";

/** The figures of the dashboard. */
export type MetricsSummary = Schemas["MetricsSummary"];
/** The revenue of one hour in one currency. */
export type RevenueHour = MetricsSummary["revenue"][number];
/** The result of checking all invariants. */
export type AuditReport = Schemas["Report"];
/** The result of checking one invariant. */
export type Invariant = Schemas["Invariant"];
/** A fault that an operator can inject, active or not. */
export type Fault = Schemas["FaultView"];
/** The figures for the dashboard and the navigation, refreshed every 10 seconds. */
export function useSummary() {
  return useQuery({
    queryKey: ["admin", "summary"],
    queryFn: ({ signal }) => call(api.GET("/v1/admin/metrics-summary", { signal })),
    refetchInterval: 10_000,
  });
}

/** The audit report, refreshed every 30 seconds. */
export function useAudit() {
  return useQuery({
    queryKey: ["admin", "audit"],
    queryFn: ({ signal }) => call(api.GET("/v1/admin/audit", { signal })),
    refetchInterval: 30_000,
  });
}
