//! Accounts, authentication and authorization. This service issues the access tokens that all other services verify. Two
//! rules apply everywhere: a secret is shown only once, and no response reveals whether an email address is registered.

mod account;
mod admin;
pub mod app;
mod auth;
pub mod config;
mod cookie;
mod device;
mod email;
mod error;
pub mod housekeeping;
mod internal;
pub mod keyring;
pub mod mail;
mod me;
pub mod openapi;
mod password;
pub mod seed;
mod session;
mod throttle;
mod token;

pub use app::App;

/// The database migrations, embedded in the binary.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/users");
