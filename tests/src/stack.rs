//! The running system: where its parts are, and the means to kill and restart one of them.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// What `cargo xtask status --json` prints.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Status {
    /// The public door.
    pub gateway: String,
    /// Every process of Souk that runs.
    pub processes: Vec<Process>,
    /// PostgreSQL's databases, by service.
    #[serde(default)]
    pub databases: BTreeMap<String, String>,
    /// `host:port` of Kafka, if it runs.
    #[serde(default)]
    pub kafka: Option<String>,
    /// RabbitMQ's address, with its user.
    #[serde(default)]
    pub rabbitmq: Option<String>,
    /// MongoDB's address, with the database.
    #[serde(default)]
    pub mongodb: Option<String>,
}

/// One process.
#[derive(Debug, Clone, Deserialize)]
pub struct Process {
    /// `gateway`, `orders`…
    pub name: String,
    /// Of the operating system.
    pub pid: u32,
    /// Its HTTP address.
    pub url: Option<String>,
    /// Its health and metrics.
    pub admin_url: Option<String>,
}

/// A system that `cargo xtask test` has started.
#[derive(Debug, Clone)]
pub struct Stack {
    xtask: PathBuf,
    state: PathBuf,
    /// Its parts as they were when the test began.
    pub status: Status,
}

impl Stack {
    /// The stack that `cargo xtask test` announced in the environment.
    ///
    /// # Panics
    /// When there is none: these tests need the real system.
    #[must_use]
    pub fn running() -> Self {
        Self::from_environment().expect("these tests need the running system: use `cargo xtask test`")
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the tests' two settings come from xtask, not from a configuration"
    )]
    fn from_environment() -> Result<Self> {
        let state = std::env::var("SOUK_TEST_STACK")
            .context("SOUK_TEST_STACK is not set")?
            .into();
        let xtask = std::env::var("SOUK_XTASK")
            .context("SOUK_XTASK is not set")?
            .into();
        let mut stack = Self {
            xtask,
            state,
            status: Status::default(),
        };
        stack.status = serde_json::from_slice(&stack.xtask(&["status", "--json"])?)?;
        Ok(stack)
    }

    /// Ends a process at once, as `kill -9` does.
    pub fn kill(&self, name: &str) {
        self.xtask(&["kill", name]).expect("kill");
    }

    /// Starts a process again, where it was.
    pub fn start(&self, name: &str) {
        self.xtask(&["start", name]).expect("start");
    }

    /// Waits until running checkouts have come to rest, and checks the invariants.
    ///
    /// # Panics
    /// On a violation, or when checkouts are still under way after `settle`, with the auditor's report.
    pub fn audit(&self, settle: Duration) {
        let settle = settle.as_secs().to_string();
        let audit = self.run(&["audit", "--settle", &settle]).expect("the audit runs");
        let report = String::from_utf8_lossy(&audit.stdout);
        assert!(
            audit.status.success() && !report.contains("are under way"),
            "{report}{}",
            String::from_utf8_lossy(&audit.stderr)
        );
    }

    /// Whether a process has logged that text.
    #[must_use]
    pub fn has_logged(&self, name: &str, text: &str) -> bool {
        let log = self.xtask(&["logs", name]).expect("logs");
        String::from_utf8_lossy(&log).contains(text)
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        let mut xtask = Command::new(&self.xtask);
        xtask.arg("--state").arg(&self.state).args(arguments);
        Ok(xtask.output()?)
    }

    fn xtask(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = self.run(arguments)?;
        if !output.status.success() {
            bail!("xtask {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output.stdout)
    }
}

impl Status {
    /// A system that runs elsewhere, of which only the public door is known.
    #[must_use]
    pub fn elsewhere(gateway: &str) -> Self {
        Self {
            gateway: gateway.to_owned(),
            ..Self::default()
        }
    }

    /// Reads the JSON of `cargo xtask status --json`.
    pub fn parse(json: &str) -> Result<Self> {
        let status: Self = serde_json::from_str(json)?;
        ensure!(!status.gateway.is_empty(), "the system is not running");
        Ok(status)
    }
}
