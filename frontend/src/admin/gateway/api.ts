import { useQuery } from "@tanstack/react-query";

import { api, call } from "@/api/client";

/** How often the live figures are refreshed, in milliseconds. */
const INTERVAL = 2_000;

/** The routes of the gateway with their figures and limits. */
export type Routes = Awaited<ReturnType<typeof readRoutes>>;
/** A route of the gateway. */
export type Route = Routes["items"][number];
/** The rate, errors and latencies of the last minute. */
export type Figures = Route["figures"];
/** The limit of concurrent calls of a route to an upstream. */
export type Limit = Route["limits"][number];
/** The quotas of a policy. */
export type Quota = Routes["quotas"][number];
/** A service behind the gateway, with its instances and circuit breakers. */
export type Upstream = Awaited<ReturnType<typeof readUpstreams>>["items"][number];
/** The circuit breaker of a route of the gateway. */
export type Breaker = Upstream["breakers"][number];
/** The configuration in force, and the last attempts to change it. */
export type ConfigState = Awaited<ReturnType<typeof readConfig>>;

/** The key of the cached {@link ConfigState}. */
export const CONFIG_KEY = ["admin", "gateway", "config"] as const;

function readRoutes(signal: AbortSignal) {
  return call(api.GET("/v1/admin/routes", { signal }));
}

function readUpstreams(signal: AbortSignal) {
  return call(api.GET("/v1/admin/upstreams", { signal }));
}

function readConfig(signal: AbortSignal) {
  return call(api.GET("/v1/admin/config", { signal }));
}

/** The routes with their live figures. */
export function useRoutes() {
  return useQuery({
    queryKey: ["admin", "gateway", "routes"],
    queryFn: ({ signal }) => readRoutes(signal),
    refetchInterval: INTERVAL,
  });
}

/** The upstreams with the state of their instances and breakers. */
export function useUpstreams() {
  return useQuery({
    queryKey: ["admin", "gateway", "upstreams"],
    queryFn: ({ signal }) => readUpstreams(signal),
    refetchInterval: INTERVAL,
  });
}

/** The state of the configuration. */
export function useConfig() {
  return useQuery({ queryKey: CONFIG_KEY, queryFn: ({ signal }) => readConfig(signal), refetchInterval: INTERVAL });
}

/** Replaces the configuration of the gateway by a YAML text. */
export function applyConfig(yaml: string) {
  return call(
    api.PUT("/v1/admin/config", {
      body: yaml,
      bodySerializer: (text) => text,
      headers: { "content-type": "text/yaml" },
    }),
  );
}
