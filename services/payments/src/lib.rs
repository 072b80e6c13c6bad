//! Payments: reserves, takes and returns money through an outside provider, and keeps the books. Money moves at most
//! once for each reason: what is asked of the provider is written down, with its key, before it is asked.

pub mod app;
mod commands;
pub mod config;
mod error;
pub mod housekeeping;
mod ledger;
mod methods;
mod payment;
mod provider;
mod refunds;
mod webhooks;

pub use app::{App, Workers, openapi, router};
pub use commands::Commands;
pub use payment::view::PaymentView;
pub use provider::Provider;
pub use refunds::{RefundWorker, view::RefundView};
pub use webhooks::signature;

/// The schema, embedded.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/payments");
