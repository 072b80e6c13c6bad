//! Tests of notifications on a real PostgreSQL, a test mail server and a real Kafka.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod consume;
mod list;
mod mail;
mod openapi;
mod ready;
mod rebuild;
mod sales;
mod support;
mod trace;
