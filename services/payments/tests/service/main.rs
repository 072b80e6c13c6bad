//! Payments on a real PostgreSQL and RabbitMQ, against a real provider on a port.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod broker;
mod events;
mod ledger;
mod refunds;
mod saga;
mod support;
mod webhooks;
