//! The gateway's tests.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

mod bodies;
mod breaker;
mod browser_spans;
mod connections;
mod document;
mod file;
mod files;
mod grpc;
mod harness;
mod in_flight;
mod joined;
mod proxies;
mod requests;
mod tokens;
