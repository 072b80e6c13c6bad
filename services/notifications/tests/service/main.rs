//! Notifications on a real PostgreSQL, a mail server on a port, and a real Kafka.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod intake;
mod list;
mod mail;
mod rebuild;
mod sales;
mod smtp;
mod support;

#[test]
fn the_openapi_document_is_as_agreed() {
    insta::assert_json_snapshot!(notifications::openapi());
}
