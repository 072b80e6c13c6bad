//! What the gateway counts, beside what every process does.

use telemetry::metrics::Counter;

/// Requests over the quota of a limit.
pub(crate) static RATE_LIMITED: Counter = Counter::counter("gateway_rate_limited", "Requests over a quota");

/// Requests that were sent again, because the first connection had been closed before it took them.
pub(crate) static RETRIES: Counter =
    Counter::counter("gateway_retries", "Requests that were sent to an upstream again");
