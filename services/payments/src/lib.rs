//! Payments: authorizes, captures, voids and refunds payments through an external provider, and keeps the ledger. No
//! operation moves money twice: its intent and its idempotency key are committed before the provider is called.

pub mod app;
mod commands;
pub mod config;
mod error;
pub mod housekeeping;
mod ledger;
pub mod openapi;
mod payment;
mod payment_methods;
mod provider;
mod refunds;
mod webhooks;

pub use app::{App, Workers};
pub use commands::Commands;
pub use payment::view::PaymentView;
pub use provider::Provider;
pub use refunds::{RefundWorker, view::RefundView};
pub use webhooks::signature;

/// The database migrations, embedded in the binary.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/payments");
