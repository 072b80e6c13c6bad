//! The provider over HTTP, on a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod support;
mod webhooks;
