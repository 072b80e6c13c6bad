//! Orders: carts, orders and the saga orchestrator that takes an order through inventory and payments. It writes what it
//! wants and what it was told in its own database, and never does another service's work.

pub mod app;
pub mod cart;
pub mod config;
pub mod dead_letters;
pub mod error;
pub mod faults;
mod gauges;
mod housekeeping;
pub mod inventory;
pub mod live;
pub mod openapi;
pub mod operators;
pub mod orders;
pub mod returns;
pub mod saga;
mod text;

pub use app::App;

/// The schema, embedded.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/orders");
