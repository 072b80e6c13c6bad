//! Upstreams: where their instances are (shared by all cores) and the connections to them (each core has its own, so
//! that a request never changes its thread), and the breakers and limits in between.

pub mod breaker;
mod call;
mod discover;
mod in_flight;
mod instance;
mod pool;
mod report;

use std::sync::Arc;

pub use breaker::{Attempt, Breaker};
pub use call::{CallError, Leave, call, collect, is_shed};
pub use discover::{Cluster, resolve_for_ever};
pub use in_flight::{InFlightLimit, Overloaded, Slot};
pub use instance::{InFlight, Instance};
pub use pool::{Lease, Pool, SendError};
pub use report::{report, schema};

/// The upstream that a route calls, and what its policies put before it.
#[derive(Debug, Clone)]
pub struct Target {
    /// The number of the upstream.
    pub upstream: usize,
    /// Shared by all parts of the route that call this upstream, as is the limit.
    pub breaker: Option<Arc<Breaker>>,
    /// How many calls may be in flight.
    pub in_flight: Option<Arc<InFlightLimit>>,
}

impl Target {
    /// Whether anything stands before it.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.breaker.is_some() || self.in_flight.is_some()
    }
}
