//! Upstreams: where their instances are (shared by all cores) and the connections to them (each core has its own, so
//! that a request never changes its thread).

mod call;
mod discover;
mod instance;
mod pool;

pub use call::{CallError, call, collect};
pub use discover::{Cluster, resolve_for_ever};
pub use instance::{InFlight, Instance, report, schema};
pub use pool::{Lease, Pool, SendError};
