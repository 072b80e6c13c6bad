//! Tests of the provider over HTTP, with a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod openapi;
mod support;
mod webhooks;
