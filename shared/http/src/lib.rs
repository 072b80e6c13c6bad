//! What every HTTP service of Souk shares: errors as problem+json, strict extractors, token verification, idempotency,
//! paging, languages, health and the server itself. It knows HTTP and PostgreSQL; it must never know a service's domain.

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
mod server;

pub use extract::{BODY_LIMIT, HashedJson, Json, Path, Query};
pub use housekeeping::hourly;
pub use problem::{FieldError, Problem, ProblemBody};
pub use server::{Admin, detached, layers, serve, serve_admin, shutdown_signal};
