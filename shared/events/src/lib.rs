//! Domain events over Kafka: the relay that publishes a service's event log, and consumers. Only this crate uses the Kafka
//! client; services use the types of [`contracts::events`].
//!
//! Invariants: every event that a transaction has committed is published; the events of one aggregate keep their order; the
//! offset of an event is committed only after its effect is committed.
//!
//! ```mermaid
//! flowchart LR
//!     change -->|one transaction| log[(event log table)]
//!     log -->|relay advances a cursor| topic[orders.v1]
//!     topic --> consumer -->|one transaction| effect[(effect and event ids)]
//!     effect -->|afterwards| offset[offset committed]
//! ```
//!
//! Inventory keeps its events in MongoDB, and uses [`Producer`] and [`rounds`] without the relay (docs/adr/0010).
//!
//! If no brokers are configured, nothing of this crate runs, and events stay in their table. docs/events.md documents the
//! events, docs/adr/0009 the cursor.

mod client;
mod consumer;
mod end_offsets;
mod lag;
mod metrics;
mod producer;
mod reader;
mod relay;
pub mod rounds;
pub mod topics;

pub use client::Brokers;
pub use consumer::{Consumer, Handler, Malformed, Received};
pub use contracts::Namespace;
pub use end_offsets::{EndOffsets, end_offsets};
pub use producer::{Producer, PublishError};
pub use reader::{Excerpt, Reader};
pub use relay::Relay;
pub use rounds::Rounds;
