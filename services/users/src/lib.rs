//! Accounts: who someone is, how they prove it, and what they may do. It issues the access tokens that every other
//! service verifies; it must never hand out a secret twice, nor tell a stranger which addresses it knows.

mod account;
mod admin;
pub mod app;
mod auth;
pub mod config;
mod cookie;
mod device;
mod email;
pub mod housekeeping;
mod internal;
pub mod keyring;
pub mod mail;
mod me;
mod password;
pub mod seed;
mod session;
mod throttle;
mod token;

#[cfg(test)]
mod testing;

/// The migrations of the accounts' database.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/users");
