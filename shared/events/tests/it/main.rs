//! Integration tests: events from a PostgreSQL server through a Kafka broker to a consumer.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

mod consumer;
mod outage;
mod reader;
mod relay;
mod support;
