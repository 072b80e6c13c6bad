//! Kafka: the tests' shared brokers, and brokers of one test's own, which it may kill.

use std::{path::PathBuf, process::Command};

use uuid::Uuid;

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

/// A Kafka of one test's own, run by xtask as all servers are. It is deleted with this.
#[derive(Debug)]
pub struct OwnKafka {
    xtask: String,
    state: PathBuf,
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
        let state = std::env::temp_dir().join(format!("souk-kafka-{}", Uuid::now_v7().simple()));
        let mut this = Self {
            xtask: crate::setting("SOUK_XTASK"),
            state,
            brokers: String::new(),
        };
        let exports = this.xtask(&["servers", "--only", "kafka"]);
        let brokers = exports.lines().find_map(|line| {
            let value = line.strip_prefix("export SOUK_TEST_KAFKA=")?;
            Some(value.trim_matches('\'').to_owned())
        });
        this.brokers = brokers.unwrap_or_else(|| panic!("xtask started no Kafka: {exports}"));
        this
    }

    /// `kill -9`.
    pub fn kill(&self) {
        self.xtask(&["kill", "kafka"]);
    }

    /// Starts it again, where it was and with what it had.
    pub fn start_again(&self) {
        self.xtask(&["start", "kafka"]);
    }

    fn xtask(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("SOUK_XTASK is a program");
        assert!(
            output.status.success(),
            "xtask {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.xtask);
        command.arg("--state").arg(&self.state).args(arguments);
        command
    }
}

impl Drop for OwnKafka {
    fn drop(&mut self) {
        let _ = self.command(&["reset"]).output();
    }
}
