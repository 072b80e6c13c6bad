//! Helpers for integration tests: fresh databases on real servers, an issuer of access tokens, a mail server, and polling
//! for a condition instead of sleeping for a fixed time. The crate is a dev-dependency only: it panics to fail a test, and
//! must never be linked into a service.
//!
//! `cargo xtask test` starts the servers and sets their addresses in `SOUK_TEST_POSTGRES`, `SOUK_TEST_AMQP`,
//! `SOUK_TEST_MONGODB` and `SOUK_TEST_KAFKA`. `SOUK_TEST_REDIS` is the path of `redis-server`, which tests start themselves.

#![expect(clippy::expect_used, reason = "a test that cannot be set up must fail")]

pub mod auth;
pub mod kafka;
pub mod mongo;
mod own;
pub mod postgres;
pub mod redis;
pub mod smtp;
mod wait;
mod web;

pub use wait::eventually;
pub use web::spawn;

/// AMQP URL of the shared message broker. Isolate queues by a [`namespace`].
///
/// # Panics
/// If `SOUK_TEST_AMQP` is not set.
#[must_use]
pub fn amqp_url() -> String {
    setting("SOUK_TEST_AMQP")
}

/// Returns a unique namespace for the queues, topics and consumer groups of a test.
#[must_use]
pub fn namespace() -> contracts::Namespace {
    contracts::Namespace::new(format!("test-{}.", uuid::Uuid::now_v7().simple()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests' settings come from xtask, not from a configuration"
)]
fn setting(key: &str) -> String {
    std::env::var(key)
        .unwrap_or_else(|_| panic!("{key} is not set: these tests need real servers, run `cargo xtask test`"))
}

/// Replaces the database in the URL of a server.
fn with_database(server: &str, name: &str) -> String {
    let mut url = url::Url::parse(server).expect("the address of a server is a URL");
    url.set_path(name);
    url.into()
}

/// Deletes what a test leaves behind, in the background. `drop` must not wait: it runs on the thread of the test's runtime, so
/// connections that are being opened would stay as they are, and PostgreSQL deletes a database only after each of its
/// processes has reacted. A database that still exists when the test's process ends is harmless,
/// because the servers are deleted afterwards.
fn delete_in_background(work: impl Future<Output = ()> + Send + 'static) {
    std::thread::spawn(move || {
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            runtime.block_on(work);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn with_database_replaces_the_database_in_the_url() {
        for (server, expected) in [
            ("mongodb://h:1", "mongodb://h:1/x"),
            ("mongodb://h:1/old", "mongodb://h:1/x"),
            (
                "mongodb://h:1/?directConnection=true",
                "mongodb://h:1/x?directConnection=true",
            ),
            ("postgres://a:b@h:1/postgres", "postgres://a:b@h:1/x"),
            (
                "postgres://h/postgres?sslmode=disable",
                "postgres://h/x?sslmode=disable",
            ),
        ] {
            assert_eq!(with_database(server, "x"), expected);
        }
    }
}
