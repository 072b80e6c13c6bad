//! Upstreams: where their instances are (shared by all cores) and the connections to them (each core has its own, so
//! that a request never changes its thread), and the breakers in between.

pub mod breaker;
mod call;
mod discover;
mod instance;
mod pool;
mod report;

pub use breaker::{Attempt, Breaker, Target};
pub use call::{CallError, call, collect, is_shed};
pub use discover::{Cluster, resolve_for_ever};
pub use instance::{InFlight, Instance};
pub use pool::{Lease, Pool, SendError};
pub use report::{report, schema};
