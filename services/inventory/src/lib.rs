//! Inventory: the product catalog and the stock. The service owns the MongoDB database `inventory`. It serves the catalog
//! over REST, quotes prices over gRPC, reserves stock on commands from `RabbitMQ`, and publishes domain events to Kafka. It
//! must never sell a unit twice.

pub mod accounts;
pub mod app;
mod batch;
pub mod config;
pub mod database;
mod error;
pub mod grpc;
pub mod holds;
pub mod migrate;
pub mod openapi;
pub mod outbox;
pub mod products;
pub mod seed;
pub mod stock;

pub use app::App;
pub use error::Error;
