//! The provider over HTTP, on a real PostgreSQL.

mod api;
mod support;
mod webhooks;
