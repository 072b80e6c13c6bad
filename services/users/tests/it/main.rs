//! Tests of users over HTTP, with a real PostgreSQL and, for the events, a real Kafka.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod addresses;
mod api_keys;
mod events;
mod housekeeping;
mod login;
mod mails;
mod openapi;
mod password;
mod password_reset;
mod profile;
mod refresh;
mod register;
mod seed;
mod sessions;
mod support;
mod users;
