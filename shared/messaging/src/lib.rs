//! Messages over RabbitMQ: topology, publishing with confirms, consuming with retries and dead letters, outbox and inbox.
//! Only this crate uses the AMQP client; services use [`Outgoing`], [`Incoming`] and [`Handler`].
//!
//! Invariants: a message that a transaction has committed is never lost, and a message is acknowledged only after its effect
//! is committed.
//!
//! ```mermaid
//! flowchart LR
//!     outbox[(outbox)] -->|confirmed| commands[inventory.commands]
//!     commands --> consumer
//!     consumer -->|"failed, attempt 1 to 5"| retry["retry queues 1 s, 10 s, 60 s, 5 min"]
//!     retry -->|TTL| commands
//!     consumer -->|"poison, or attempt 6"| dead[souk.dead-letters]
//! ```

mod broker;
mod consumer;
pub mod inbox;
mod message;
mod metrics;
pub mod outbox;
mod publisher;
mod topology;

pub use broker::{Broker, InvalidUrl};
pub use consumer::{HandleError, Handler, MAX_ATTEMPTS, consume};
pub use contracts::Namespace;
pub use message::{Incoming, Outgoing, Poison};
pub use outbox::Outbox;
pub use publisher::PublishError;
pub use topology::DEAD_LETTERS;
