//! Kafka for tests: a shared broker, and separate brokers that a single test may kill.

use crate::own::OwnServer;

/// Address of the shared Kafka as `host:port`. Isolate topics and groups by a [`namespace`](crate::namespace).
///
/// # Panics
/// If `SOUK_TEST_KAFKA` is not set.
#[must_use]
pub fn brokers() -> String {
    crate::setting("SOUK_TEST_KAFKA")
}

/// A Kafka broker for a single test. It is deleted when this is dropped.
#[derive(Debug)]
pub struct OwnKafka {
    server: OwnServer,
    /// Address as `host:port`, which stays the same after a restart.
    pub brokers: String,
}

impl OwnKafka {
    /// Starts a Kafka broker with an empty data directory.
    ///
    /// # Panics
    /// If `SOUK_XTASK` is not set or the broker does not start.
    #[must_use]
    pub fn start() -> Self {
        let (server, brokers) = OwnServer::start("kafka", "SOUK_TEST_KAFKA");
        Self { server, brokers }
    }

    /// Kills the broker with SIGKILL.
    pub fn kill(&self) {
        self.server.kill();
    }

    /// Starts the killed broker again with the same address and data.
    pub fn restart(&self) {
        self.server.restart();
    }
}
