//! Inventory: what is sold and how many of it there are. It owns the MongoDB database `inventory`, answers the catalog over
//! REST and quotes over gRPC, and holds stock for orders by commands from `RabbitMQ`, and tells what happens on Kafka. It must never sell a unit twice.

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

pub use error::Error;
