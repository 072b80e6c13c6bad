//! The common parts of Souk's HTTP services: errors as problem+json, strict extractors, token verification, idempotency,
//! pagination, content language, health checks, the server and its registration in Consul. The crate depends on HTTP and PostgreSQL, and must never
//! contain anything of a service's domain.

pub mod auth;
pub mod database;
mod extract;
pub mod health;
mod housekeeping;
pub mod idempotency;
pub mod language;
pub mod openapi;
pub mod page;
mod problem;
mod registration;
mod server;
mod strict;

pub use extract::{BODY_LIMIT, HashedJson, Json, Path, Query};
pub use housekeeping::hourly;
pub use problem::{FieldError, Problem, ProblemBody};
pub use registration::Registration;
pub use server::{Admin, detached, layers, serve, serve_admin, shutdown_signal, waiting_connections};
