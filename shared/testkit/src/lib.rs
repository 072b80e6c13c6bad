//! What tests stand on: fresh databases on real servers, an issuer of access tokens, a mail server, and waiting without sleeping
//! and hoping. A dev-dependency only; it panics where a test should fail, and must never be part of a process.
//!
//! `cargo xtask test` starts the servers and says where they are in `SOUK_TEST_POSTGRES`, `SOUK_TEST_AMQP`,
//! `SOUK_TEST_MONGODB` and `SOUK_TEST_KAFKA`.

#![expect(clippy::expect_used, reason = "a test that cannot be set up must fail")]

pub mod auth;
pub mod kafka;
pub mod mongo;
mod own;
pub mod postgres;
pub mod smtp;
mod wait;
mod web;

pub use wait::eventually;
pub use web::spawn;

/// The AMQP URL of the tests' broker. Tests share it: take queues of a namespace of your own.
///
/// # Panics
/// Without `SOUK_TEST_AMQP`.
#[must_use]
pub fn amqp_url() -> String {
    setting("SOUK_TEST_AMQP")
}

/// Queues of one test's own on that broker; they vanish after the test.
#[must_use]
pub fn namespace() -> messaging::Namespace {
    messaging::Namespace::new(format!("test-{}.", uuid::Uuid::now_v7().simple()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests' settings come from xtask, not from a configuration"
)]
fn setting(key: &str) -> String {
    std::env::var(key)
        .unwrap_or_else(|_| panic!("{key} is not set: these tests need real servers, run `cargo xtask test`"))
}

/// Runs async work to its end where only synchronous code can stand: in `drop`, even inside a runtime.
fn block_on_elsewhere(work: impl Future<Output = ()> + Send + 'static) {
    let thread = std::thread::spawn(move || {
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            runtime.block_on(work);
        }
    });
    let _ = thread.join();
}
