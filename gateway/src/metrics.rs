//! What the gateway counts, beside what every process does.

use telemetry::metrics::{Counter, Gauge};

/// Requests over the quota of a limit.
pub(crate) static RATE_LIMITED: Counter = Counter::counter("gateway_rate_limited", "Requests over a quota");

/// Connections that were closed at once.
pub(crate) static CONNECTIONS_REFUSED: Counter = Counter::counter(
    "gateway_connections_refused",
    "Connections that were closed because their address had too many",
);

/// Whether a route's calls of an upstream are let through.
pub(crate) static BREAKER_STATE: Gauge = Gauge::gauge(
    "gateway_breaker_state",
    "Whether calls are let through: 0 closed, 1 open, 2 half-open",
);

/// How often that ended.
pub(crate) static BREAKER_OPENED: Counter =
    Counter::counter("gateway_breaker_opened", "Times that a breaker opened");

/// Requests that were sent again, because the first connection had been closed before it took them.
pub(crate) static RETRIES: Counter =
    Counter::counter("gateway_retries", "Requests that were sent to an upstream again");

/// Calls that an upstream works on for a route.
pub(crate) static CALLS_IN_FLIGHT: Gauge = Gauge::gauge(
    "gateway_calls_in_flight",
    "Calls of an upstream that wait for its answer",
);

/// Calls that wait until fewer are in flight.
pub(crate) static CALLS_QUEUED: Gauge = Gauge::gauge(
    "gateway_calls_queued",
    "Calls of an upstream that wait for others to end",
);

/// Calls that were refused by the limit of those in flight.
pub(crate) static CALLS_REFUSED: Counter = Counter::counter(
    "gateway_calls_refused",
    "Calls of an upstream that were refused because too many were in flight or waiting",
);
