//! A simulated external payment provider, modelled on Stripe: payment intents are authorized, captured and refunded
//! over HTTP, and signed webhooks may be delivered late, twice and out of order. It does not depend on Souk, and Souk
//! uses it only over HTTP.

pub mod app;
mod auth;
mod balance;
pub mod config;
mod error;
mod housekeeping;
mod idempotency;
mod intents;
mod methods;
pub mod openapi;
mod refunds;
mod webhooks;

pub use app::App;
pub use webhooks::Deliverer;

/// The database migrations, embedded in the binary.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/psp");
