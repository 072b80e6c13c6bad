//! Souk's messages over RabbitMQ: topology, confirmed publishing, consuming with retries and dead letters, outbox and
//! inbox. The only user of the AMQP client; services see [`Outgoing`], [`Incoming`] and [`Handler`]. It must never lose a
//! message that a transaction has committed, nor acknowledge one whose effect has not been.
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
pub use message::{Incoming, Outgoing, Poison};
pub use outbox::Outbox;
pub use publisher::PublishError;
pub use topology::{DEAD_LETTERS, Namespace};
