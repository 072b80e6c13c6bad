//! The auditor: checks invariants that span several databases, which no single service can do because each sees only its
//! own. Its accounts are read-only: it never changes anything, not even to repair a violation.

pub mod app;
pub mod audit;
pub mod config;
mod databases;
mod error;
pub mod openapi;
mod outboxes;
mod watch;

pub use app::App;
pub use databases::Databases;
pub use error::Error;
