//! Links that limit how many requests pass.

use std::{num::NonZeroU32, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Placed, Share, Span};

/// A quota of `quota` requests in each `window`, by the generic cell rate algorithm. All of them may be used at once.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How clients are distinguished.
    pub by: RateBy,
    /// Number of requests; at least 1.
    pub quota: NonZeroU32,
    /// Time in which a used-up quota is fully restored, evenly.
    pub window: Span,
    /// Where all replicas of the gateway count together; needs the top-level `redis`. Absent: each replica counts for
    /// itself.
    #[serde(default)]
    pub shared: Option<Placed<Shared>>,
}

/// Where the replicas of the gateway count requests together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shared {
    /// In the Redis server of the top-level `redis`. While it is unavailable, each replica counts for itself.
    Redis,
}

/// How a quota distinguishes clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateBy {
    /// By authenticated user, or by address for requests without one.
    User,
    /// By the address of the client; for IPv6, by its /64 network.
    Address,
}

/// Rules of a breaker, which each route has for each upstream that it calls.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// Length of the sliding window in which calls are counted.
    pub window: Span,
    /// Minimum number of calls in the window; with fewer, the breaker does not open.
    pub min_calls: NonZeroU32,
    /// The breaker opens if more than this share of calls failed: no connection, a connection that broke, no response
    /// before the deadline, status 5xx, or gRPC status 4, 13 or 14.
    pub failures: Share,
    /// The breaker also opens if too many calls were slow, over at least half of the window. A single burst is ignored.
    pub slow: Slow,
    /// How long the breaker stays open after failures, plus or minus 10 %. Doubles each further time in a row, up to 5
    /// min.
    pub open: Span,
    /// Number of calls that are let through after `open` has passed. The breaker closes if all of them succeed.
    pub probes: NonZeroU32,
}

/// Limit of a route's concurrent calls to an upstream, and the queue for further calls.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InFlight {
    /// Maximum number of calls in flight, over all cores. A call ends with the head of its response; a part of a joined
    /// response ends with its body.
    pub max: NonZeroU32,
    /// Maximum number of further calls that wait, served in turn by client. All others are rejected immediately.
    pub queue: usize,
    /// How long a call waits before it is rejected.
    pub wait: Span,
}

/// When slow calls open a breaker.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slow {
    /// A call that takes longer than this is slow.
    pub over: Span,
    /// The breaker opens if more than this share of calls is slow.
    pub share: Share,
    /// How long slow calls keep the breaker open, plus or minus 10 %. Short, because the upstream only needs to drain
    /// its queue. Default: 3 s.
    #[serde(default = "Slow::default_pause")]
    pub pause: Span,
}

impl Slow {
    fn default_pause() -> Span {
        Span(Duration::from_secs(3))
    }
}
