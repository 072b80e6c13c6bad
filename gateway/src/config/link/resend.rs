//! Links that send a request to an upstream more than once.

use std::{num::NonZeroU32, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{Share, Span, SpanRange};

/// When a request that failed is sent again, to another instance if there is one.
///
/// If no connection could be made, any request is sent again, because nothing was sent. If there was a response with
/// status 502, 503 (without `Retry-After`) or 504, a connection that broke, or a time-out, only GET, HEAD, OPTIONS, PUT
/// and DELETE requests are sent again, and those with an `Idempotency-Key`. Streams, requests for a `websocket`, and those
/// with a body of more than 64 KiB, or of unknown length, are never sent again. A gRPC call of a GET route or of a joined
/// response is also sent again if its connection broke; other gRPC calls only if no connection could be made.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// How often a request is sent again. Default: 2.
    pub max: NonZeroU32,
    /// Largest share of requests sent again, of all requests of the route to the upstream within 10 s. It prevents retries
    /// from overloading an upstream that is failing. At least 10 per second are always allowed. Default: 20 %.
    pub budget: Share,
    /// How long to wait: a random time, which is at most `from` before the first retry and doubles up to `to`. Default: 25
    /// ms to 250 ms.
    pub backoff: SpanRange,
    /// Time for each try to respond. Absent: the remaining time of the request, so that nothing is sent again after a
    /// time-out.
    pub per_try: Option<Span>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max: NonZeroU32::MIN.saturating_add(1),
            budget: Retry::DEFAULT_BUDGET,
            backoff: SpanRange {
                from: Duration::from_millis(25),
                to: Duration::from_millis(250),
            },
            per_try: None,
        }
    }
}

impl Retry {
    /// The budget of a route without a `retry` link.
    pub(crate) const DEFAULT_BUDGET: Share = Share::FIFTH;
}

/// When a second instance is asked, because the first one is slow. The first response that is no failure is used. Only for
/// GET and HEAD requests, and not for streams and gRPC calls. Second requests count towards the budget of `retry`, which
/// is 20 % without such a link.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hedge {
    /// Time without a response after which the second instance is asked.
    pub after: Span,
}
