//! Orders: carts, orders, returns, and the saga orchestrator that takes an order through inventory and payments. It stores
//! the commands it sends and the replies it receives in its own database, and never writes to another service's.

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
mod stored;
mod text;

pub use app::App;

/// The database migrations, embedded in the binary.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/orders");
