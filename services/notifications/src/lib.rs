//! Notifications: takes in what the other services tell, keeps the shopper's list and the sales figures, and sends mail.
//! An event has its effect once, however often it comes, and everything but what was sent and read can be made again from
//! the log. Nothing that a shopper waits for may depend on this service.

pub mod app;
pub mod config;
pub mod consume;
mod error;
pub mod housekeeping;
mod language;
pub mod mail;
mod metrics;
mod notices;
mod sales;

pub use app::{App, openapi, router};

/// The schema, embedded.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/notifications");
