//! Kafka: the tests' shared brokers, and brokers of one test's own, which it may kill.

use uuid::Uuid;

use crate::own::OwnServer;

/// `host:port` of the tests' Kafka. Tests share it: take topics and groups of a prefix of your own.
///
/// # Panics
/// Without `SOUK_TEST_KAFKA`.
#[must_use]
pub fn brokers() -> String {
    crate::setting("SOUK_TEST_KAFKA")
}

/// What to put before the names of one test's topics and groups.
#[must_use]
pub fn prefix() -> String {
    format!("test-{}.", Uuid::now_v7().simple())
}

/// A Kafka of one test's own. It is deleted with this.
#[derive(Debug)]
pub struct OwnKafka {
    server: OwnServer,
    /// `host:port`; the same after a restart.
    pub brokers: String,
}

impl OwnKafka {
    /// Starts one.
    ///
    /// # Panics
    /// Without `SOUK_XTASK`, and when it does not start.
    #[must_use]
    pub fn start() -> Self {
        let (server, brokers) = OwnServer::start("kafka", "SOUK_TEST_KAFKA");
        Self { server, brokers }
    }

    /// `kill -9`.
    pub fn kill(&self) {
        self.server.kill();
    }

    /// Starts it again, where it was and with what it had.
    pub fn start_again(&self) {
        self.server.start_again();
    }
}
