//! Tests of the auditor on real databases, with the rights that its accounts have in production.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod api;
mod audit;
mod corruptions;
mod events;
mod openapi;
mod rights;
mod support;
