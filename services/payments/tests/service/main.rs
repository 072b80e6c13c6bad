//! Payments on a real PostgreSQL and RabbitMQ, against a real provider on a port.

mod api;
mod broker;
mod ledger;
mod refunds;
mod saga;
mod support;
mod webhooks;
