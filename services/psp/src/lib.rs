//! A stand-in for an outside payment provider, in the manner of Stripe: payment intents that are authorized, captured
//! and refunded over HTTP, and signed webhooks that can come late, twice and out of order. It knows nothing of Souk,
//! and Souk may know it only over HTTP.

pub mod app;
mod auth;
mod balance;
pub mod config;
mod error;
pub mod housekeeping;
mod idempotency;
mod intents;
mod methods;
mod refunds;
mod webhooks;

pub use app::{App, openapi, router};
pub use webhooks::Deliverer;

/// The schema, embedded.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/psp");
