//! The running system: the addresses of its parts, and functions to kill and restart processes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// The output of `cargo xtask status --json`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Status {
    /// Base URL of the gateway.
    pub gateway: String,
    /// All running processes of Souk.
    pub processes: Vec<Process>,
    /// URL of each PostgreSQL database, by service.
    #[serde(default)]
    pub databases: BTreeMap<String, String>,
    /// Address of Kafka as `host:port`, if it is running.
    #[serde(default)]
    pub kafka: Option<String>,
    /// AMQP URL of RabbitMQ with its account, if it is running.
    #[serde(default)]
    pub rabbitmq: Option<String>,
    /// URL of the MongoDB database, if it is running.
    #[serde(default)]
    pub mongodb: Option<String>,
}

/// A running process of the system.
#[derive(Debug, Clone, Deserialize)]
pub struct Process {
    /// Name of the process, such as `gateway` or `orders`.
    pub name: String,
    /// Process id in the operating system.
    pub pid: u32,
    /// Base URL of its HTTP API, if it has one.
    pub url: Option<String>,
    /// Base URL of its health checks and metrics, if it has them.
    pub admin_url: Option<String>,
}

/// The system that `cargo xtask test` has started.
#[derive(Debug, Clone)]
pub struct Stack {
    xtask: PathBuf,
    state: PathBuf,
    /// Status of the system when the test started.
    pub status: Status,
}

impl Stack {
    /// Returns the running system that the environment refers to.
    ///
    /// # Panics
    /// If `cargo xtask test` has not started a system.
    #[must_use]
    pub fn running() -> Self {
        Self::from_environment().expect("these tests need the running system: use `cargo xtask test`")
    }

    fn from_environment() -> Result<Self> {
        let mut stack = Self {
            xtask: setting("SOUK_XTASK")?,
            state: setting("SOUK_TEST_STACK")?,
            status: Status::default(),
        };
        stack.status = stack.current_status()?;
        Ok(stack)
    }

    /// Starts a system of its own with the programs in a folder, for a test that cannot share one. It has Kafka, and no
    /// quotas. The caller must [`Stack::reset`] it.
    ///
    /// # Panics
    /// If the system does not start.
    #[must_use]
    pub fn start_own(name: &str, programs: &Path) -> Self {
        let xtask = setting("SOUK_XTASK").expect("use `cargo xtask test`");
        let mut stack = Self {
            state: xtask.with_file_name("..").join(name),
            xtask,
            status: Status::default(),
        };
        stack.reset();
        let port = free_port().to_string();
        let mut up = stack.command(&[
            "up",
            "--detach",
            "--with",
            "kafka",
            "--gateway-port",
            &port,
            "--programs",
        ]);
        up.arg(programs);
        for quota in [
            "SOUK_RATE_ADDRESS",
            "SOUK_RATE_USER",
            "SOUK_RATE_LOGIN",
            "SOUK_RATE_PROVIDER",
        ] {
            up.env(quota, "1000000");
        }
        let output = up.output().expect("xtask runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        stack.status = stack.current_status().expect("the status");
        stack
    }

    /// Stops all processes of a system and deletes its data.
    pub fn reset(&self) {
        let _ = self.xtask(&["reset"]).expect("reset");
    }

    /// Builds services as they were before a file was added to the repository. Returns the folder of their programs.
    ///
    /// # Panics
    /// If the history of the repository does not reach that far, or the services cannot be built.
    #[must_use]
    pub fn build_previous(before: &str, services: &[&str]) -> PathBuf {
        let xtask = setting("SOUK_XTASK").expect("use `cargo xtask test`");
        let mut command = Command::new(xtask);
        let output = command
            .args(["previous", "--before", before])
            .args(services)
            .output();
        let output = output.expect("xtask runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("a path").trim().into()
    }

    /// The folder of the current programs.
    #[must_use]
    pub fn programs() -> PathBuf {
        let xtask = setting("SOUK_XTASK").expect("use `cargo xtask test`");
        xtask.parent().expect("the program has a folder").to_owned()
    }

    /// The folder of the processes' logs.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// Stops all processes and keeps their data and logs.
    pub fn stop_all(&self) {
        let _ = self.xtask(&["down"]).expect("down");
    }

    /// Applies the pending migrations of the current programs.
    pub fn migrate(&self) {
        let mut migrate = self.command(&["migrate", "--programs"]);
        let output = migrate.arg(Self::programs()).output().expect("xtask runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Applies the migrations that end the compatibility with the previous version.
    pub fn contract(&self) {
        let _ = self.xtask(&["migrate", "--contract"]).expect("contract");
    }

    /// Stops a process cleanly.
    pub fn stop(&self, name: &str) {
        let _ = self.xtask(&["stop", name]).expect("stop");
    }

    fn current_status(&self) -> Result<Status> {
        Ok(serde_json::from_slice(&self.xtask(&["status", "--json"])?)?)
    }

    /// Kills a process with SIGKILL.
    pub fn kill(&self, name: &str) {
        self.xtask(&["kill", name]).expect("kill");
    }

    /// Restarts a killed process with the same addresses.
    pub fn start(&self, name: &str) {
        self.xtask(&["start", name]).expect("start");
    }

    /// Waits up to `settle` until all checkouts have ended, and checks the invariants.
    ///
    /// # Panics
    /// If an invariant is violated or checkouts are still running. The message has the auditor's report.
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

    /// Whether the log of a process contains this text.
    #[must_use]
    pub fn has_logged(&self, name: &str, text: &str) -> bool {
        let log = self.xtask(&["logs", name]).expect("logs");
        String::from_utf8_lossy(&log).contains(text)
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.command(arguments).output()?)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut xtask = Command::new(&self.xtask);
        xtask.arg("--state").arg(&self.state).args(arguments);
        xtask
    }

    fn xtask(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = self.run(arguments)?;
        if !output.status.success() {
            bail!("xtask {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output.stdout)
    }
}

/// Returns a random port on which no process listens. It is below the ephemeral ports, so that an outgoing connection cannot
/// take the port of a process that is being restarted.
///
/// # Panics
/// If no free port is found.
#[must_use]
pub fn free_port() -> u16 {
    let random = || 20_000 + u16::try_from(uuid::Uuid::new_v4().as_u128() % 12_000).unwrap_or_default();
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = std::iter::repeat_with(random).take(1_000).find(is_free);
    port.expect("a free port")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the settings of tests come from xtask, not from a configuration struct"
)]
fn setting(name: &str) -> Result<PathBuf> {
    let value = std::env::var(name).with_context(|| format!("{name} is not set"))?;
    Ok(value.into())
}

impl Status {
    /// Describes a system of which only the URL of the gateway is known.
    #[must_use]
    pub fn elsewhere(gateway: &str) -> Self {
        Self {
            gateway: gateway.to_owned(),
            ..Self::default()
        }
    }

    /// Parses the output of `cargo xtask status --json`. Fails if the system is not running.
    pub fn parse(json: &str) -> Result<Self> {
        let status: Self = serde_json::from_str(json)?;
        ensure!(!status.gateway.is_empty(), "the system is not running");
        Ok(status)
    }
}
