//! Upstreams: service discovery, breakers and in-flight limits, which all cores share, and connection pools. Each core
//! has its own pools, so that a request never moves to another thread.

mod adaptive;
mod balance;
pub mod breaker;
mod call;
mod cluster;
mod connect;
mod discover;
pub mod health;
mod http2;
mod in_flight;
mod instance;
mod latency;
mod pool;
mod pools;
mod report;
mod resend;
mod rpc;

use std::sync::Arc;

pub use adaptive::Ticket;
pub use balance::Choice;
pub use breaker::{Attempt, Breaker};
pub use call::{CallError, CallPermit, Caller, call, collect, is_gateway_error, is_shed};
pub use cluster::Cluster;
pub use connect::ConnectError;
pub use discover::follow;
pub(crate) use discover::{
    RETRY_INTERVAL,
    docker::{Labels, changed_labels},
};
pub use in_flight::{InFlightLimit, Overloaded, Slot};
pub use instance::{InFlight, Instance};
pub use pool::{Lease, Pool, SendError};
pub use pools::Pools;
pub use report::{report, schema};
pub use resend::Resends;
pub use rpc::{Rpc, begin_rpc};

/// An upstream that a route calls, with the breaker and the limit of that route.
#[derive(Debug, Clone)]
pub struct Target {
    /// Index of the upstream in the list of all upstreams.
    pub upstream: usize,
    /// The route's breaker, shared by all of its parts that call this upstream.
    pub breaker: Option<Arc<Breaker>>,
    /// The route's limit of calls in flight, shared in the same way.
    pub in_flight: Option<Arc<InFlightLimit>>,
    /// The route's rules for sending requests again, shared in the same way. `None` if it never does.
    pub resends: Option<Arc<Resends>>,
}

impl Target {
    /// Whether a breaker or an in-flight limit applies.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.breaker.is_some() || self.in_flight.is_some()
    }
}
