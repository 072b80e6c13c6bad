//! Souk's domain events over Kafka: the relay that publishes a service's log of events, and consuming. The only user of
//! the Kafka client; services see [`contracts::events`]. It must never pass over an event that a transaction has
//! committed, never change the order of one aggregate's events, and never say that an event is consumed before its effect
//! is committed.
//!
//! ```mermaid
//! flowchart LR
//!     change -->|one transaction| log[(table of events)]
//!     log -->|the relay moves a cursor| topic[orders.v1]
//!     topic --> consumer -->|one transaction| effect[(effect, ids of events)]
//!     effect -->|then| offset[offset is committed]
//! ```
//!
//! Inventory, whose events wait in MongoDB, uses [`Producer`] and [`rounds`] without the relay (docs/adr/0010).
//!
//! Without brokers nothing of this runs; the events wait in their table. docs/events.md says what is told, docs/adr/0009
//! why it is told by a cursor.

mod client;
mod consumer;
mod ends;
mod lag;
mod metrics;
mod producer;
mod reader;
mod relay;
pub mod rounds;
pub mod topics;

pub use client::{Brokers, Namespace};
pub use consumer::{Consumer, Handler, Malformed, Received};
pub use ends::{Ends, ends};
pub use producer::{Producer, PublishError};
pub use reader::{Excerpt, Reader};
pub use relay::Relay;
pub use rounds::Rounds;
