//! Metrics of the gateway, in addition to those that every process exposes.

use telemetry::metrics::{Counter, Gauge};

/// Requests rejected by a rate limit, by policy.
pub(crate) static RATE_LIMITED: Counter = Counter::counter(
    "gateway_rate_limited",
    "Requests that were rejected because they exceeded a quota",
);

/// Requests that this replica has counted alone, although their quota is shared, by policy.
pub(crate) static RATE_UNSHARED: Counter = Counter::counter(
    "gateway_rate_unshared",
    "Requests whose shared quota was counted by this replica alone, because Redis did not answer",
);

/// Requests that a cache has handled, by policy and result.
pub(crate) static CACHE_REQUESTS: Counter = Counter::counter(
    "gateway_cache_requests",
    "Requests that a cache has handled, by result: hit, collapsed, revalidated, stale, miss or bypass",
);

/// gRPC calls, by route and status.
pub(crate) static GRPC_CALLS: Counter = Counter::counter(
    "gateway_grpc_calls",
    "gRPC calls that have ended, by route and gRPC status",
);

/// Copies of requests for another upstream, by policy and result.
pub(crate) static MIRRORED: Counter = Counter::counter(
    "gateway_mirrored",
    "Copies of requests for another upstream, by result: sent, failed or dropped",
);

/// Calls of plugins that failed, by policy and reason.
pub(crate) static PLUGIN_FAILURES: Counter = Counter::counter(
    "gateway_plugin_failures",
    "Calls of plugins that failed, by reason: fuel, memory, trap or reply",
);

/// Whether the newest file of a plugin was refused, by policy.
pub(crate) static PLUGIN_REFUSED: Gauge = Gauge::gauge(
    "gateway_plugin_refused",
    "1 if the file of a plugin has changed and was refused, otherwise 0",
);

/// Attempts to change the configuration of a running gateway, by result.
pub(crate) static RELOADS: Counter = Counter::counter(
    "gateway_config_reloads",
    "Attempts to change the configuration, by result: applied or refused",
);

/// Whether the last attempt to change the configuration was refused.
pub(crate) static RELOAD_REFUSED: Gauge = Gauge::gauge(
    "gateway_config_refused",
    "1 if the last attempt to change the configuration was refused, otherwise 0",
);

/// Connections that were closed immediately after they were accepted.
pub(crate) static CONNECTIONS_REFUSED: Counter = Counter::counter(
    "gateway_connections_refused",
    "Connections that were closed because their address or their listener already had too many, by reason",
);

/// TCP connections of listeners with `tcp`, by listener and result.
pub(crate) static TCP_CONNECTIONS: Counter = Counter::counter(
    "gateway_tcp_connections",
    "TCP connections by result: passed, refused (no upstream for the name) or failed (no name in time, or no instance)",
);

/// TCP connections that are being passed through, by listener.
pub(crate) static TCP_OPEN: Gauge = Gauge::gauge(
    "gateway_tcp_open",
    "TCP connections that are being passed through",
);

/// Bytes of TCP connections that were passed through, by listener and sender.
pub(crate) static TCP_BYTES: Counter = Counter::counter(
    "gateway_tcp_bytes",
    "Bytes of TCP connections that were passed through, from clients or upstreams",
);

/// State of the breaker of a route and an upstream.
pub(crate) static BREAKER_STATE: Gauge = Gauge::gauge(
    "gateway_breaker_state",
    "State of the breaker: 0 closed, 1 open, 2 half-open",
);

/// How often a breaker has opened.
pub(crate) static BREAKER_OPENED: Counter =
    Counter::counter("gateway_breaker_opened", "Number of times a breaker has opened");

/// Requests that were sent again on another connection, because the first one was closed before the request was sent.
pub(crate) static RETRIES: Counter = Counter::counter(
    "gateway_retries",
    "Requests that were resent to an upstream because the connection was already closed",
);

/// Calls of a route that are waiting for an upstream's response.
pub(crate) static CALLS_IN_FLIGHT: Gauge = Gauge::gauge(
    "gateway_calls_in_flight",
    "Calls that are waiting for the response of an upstream",
);

/// Calls that are queued until fewer are in flight.
pub(crate) static CALLS_QUEUED: Gauge = Gauge::gauge(
    "gateway_calls_queued",
    "Calls to an upstream that are queued until others end",
);

/// Calls that the in-flight limit has rejected.
pub(crate) static CALLS_REFUSED: Counter = Counter::counter(
    "gateway_calls_refused",
    "Calls to an upstream that were rejected because too many were in flight or queued",
);

/// Instances of an upstream that get requests.
pub(crate) static UPSTREAM_HEALTHY: Gauge = Gauge::gauge(
    "gateway_upstream_healthy",
    "Instances of an upstream that are neither unhealthy nor ejected",
);

/// Instances of an upstream that service discovery has found.
pub(crate) static UPSTREAM_INSTANCES: Gauge =
    Gauge::gauge("gateway_upstream_instances", "Known instances of an upstream");

/// How often an instance of an upstream was ejected.
pub(crate) static UPSTREAM_EJECTIONS: Counter = Counter::counter(
    "gateway_upstream_ejections",
    "How often an instance was ejected because its requests failed several times in a row",
);

/// Requests that a route sent to an upstream again, by reason.
pub(crate) static CALLS_RESENT: Counter = Counter::counter(
    "gateway_calls_resent",
    "Requests that were sent to an upstream again, by reason: retry (a failure) or hedge (a slow instance)",
);

/// Requests that were not sent again, although the rules of the route allow it.
pub(crate) static RESENDS_DENIED: Counter = Counter::counter(
    "gateway_resends_denied",
    "Requests that were not sent to an upstream again, because too many recent ones were",
);

/// The current limit of an upstream with `adaptive` concurrency.
pub(crate) static ADAPTIVE_LIMIT: Gauge = Gauge::gauge(
    "gateway_adaptive_limit",
    "Calls to an upstream that may be in flight, according to its latency",
);

/// Calls that the adaptive limit has rejected.
pub(crate) static CALLS_SHED: Counter = Counter::counter(
    "gateway_calls_shed",
    "Calls to an upstream that were rejected by its adaptive limit, by clients: anonymous or authenticated",
);
