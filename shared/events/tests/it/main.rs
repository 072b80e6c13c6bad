//! Events from a real PostgreSQL to a real Kafka and on to a consumer.

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
