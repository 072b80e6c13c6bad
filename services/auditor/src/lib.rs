//! The auditor: checks what must always hold over all databases at once, which no service can, since each sees its own. It
//! has accounts that may only read, and must never change anything, not even what it finds to be wrong.

pub mod app;
pub mod audit;
pub mod config;
mod databases;
mod error;
mod get_audit;
mod list_outboxes;
pub mod openapi;
mod watch;

pub use app::App;
pub use databases::Databases;
pub use error::Error;
