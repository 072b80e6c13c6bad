//! Notifications: consumes the other services' domain events, maintains each shopper's list of notifications and the sales
//! figures, and sends mails. Every event takes effect once, however often it is delivered. Except for sent mails and read
//! marks, all data can be rebuilt from the events on Kafka. No checkout or other shopper request may depend on this service.

pub mod app;
pub mod config;
pub mod consume;
mod error;
mod housekeeping;
mod language;
pub mod mail;
mod metrics;
mod notices;
pub mod openapi;
mod sales;

pub use app::App;

/// The database migrations, embedded into the executable.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/notifications");
