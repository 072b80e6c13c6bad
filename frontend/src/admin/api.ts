import { useQuery } from "@tanstack/react-query";

import { api, call, type Schemas } from "@/api/client";
import type { Money } from "@/i18n/format";

/** How the shop is doing. */
export interface MetricsSummary {
  since: string;
  orders: { total: number; by_status: Record<string, number> };
  revenue: { hour: string; amount: Money; orders: number }[];
  best_sellers: { sku: string; name: string; quantity: number; revenue: Money }[];
  funnel: Record<"placed" | "reserved" | "authorized" | "captured" | "confirmed", number>;
  rejected_by_reason: { reason: string; count: number }[];
  sagas: { running: number; compensating: number; parked: number; oldest_active_age_seconds?: number | null };
  outbox: { pending: number; oldest_age_seconds?: number | null };
  dead_letters: number;
  latest: Schemas["Order"][];
}

export interface Invariant {
  name: string;
  title: string;
  checked: number;
  violated: number;
  violations: string[];
}

export interface AuditReport {
  checked_at: string;
  duration_ms: number;
  clean: boolean;
  invariants: Invariant[];
}

export interface Breaker {
  state: "closed" | "open" | "half_open";
  failure_rate: number;
  retry_in_seconds?: number | null;
}

export interface Upstream {
  name: string;
  protocol: string;
  discover: string;
  instances: {
    address: string;
    in_flight: number;
    requests: number;
    failures: number;
    last_failure_at?: string | null;
    last_failure?: string | null;
  }[];
  breaker?: Breaker | null;
}

export interface Outbox {
  service: string;
  pending: number;
  oldest_age_seconds: number;
}

export interface Fault {
  name: string;
  title: string;
  description: string;
  until?: string | null;
  set_by?: string | null;
}

/** What the document does not describe yet. */
export async function get<T>(path: string): Promise<T> {
  return (await call(api.GET(path as never) as never)) as T;
}

/** The figures that the overview and the navigation show. */
export function useSummary() {
  return useQuery({
    queryKey: ["admin", "summary"],
    queryFn: () => get<MetricsSummary>("/v1/admin/metrics-summary"),
    refetchInterval: 10_000,
  });
}

/** What must always hold, and whether it does. */
export function useAudit() {
  return useQuery({
    queryKey: ["admin", "audit"],
    queryFn: () => get<AuditReport>("/v1/admin/audit"),
    refetchInterval: 30_000,
  });
}

/** Breaks something for so long; 0 seconds end it. */
export async function setFault(body: { name: string; seconds: number; reason: string }): Promise<void> {
  await call(api.PUT("/v1/admin/faults" as never, { body } as never) as never);
}
