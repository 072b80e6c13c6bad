//! Tests of payments with a real PostgreSQL and RabbitMQ, and the simulated provider over HTTP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod broker;
mod events;
mod ledger;
mod openapi;
mod refunds;
mod saga;
mod support;
mod webhooks;
