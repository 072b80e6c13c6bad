//! A server for a single test, which the test may kill. xtask starts it, like all servers.

use std::{path::PathBuf, process::Command};

use rustix::process::{Pid, Signal, kill_process};
use uuid::Uuid;

/// A server for a single test. Its process and data are deleted when this is dropped.
#[derive(Debug)]
pub(crate) struct OwnServer {
    name: &'static str,
    xtask: String,
    state: PathBuf,
}

impl OwnServer {
    /// Starts the server with the xtask name `name`. Also returns its address, which xtask prints as `variable`.
    ///
    /// # Panics
    /// If `SOUK_XTASK` is not set or the server does not start.
    pub(crate) fn start(name: &'static str, variable: &str) -> (Self, String) {
        let state = std::env::temp_dir().join(format!("souk-{name}-{}", Uuid::now_v7().simple()));
        let this = Self {
            name,
            xtask: crate::setting("SOUK_XTASK"),
            state,
        };
        let exports = this.xtask(&["servers", "--only", name]);
        let prefix = format!("export {variable}=");
        let address = exports.lines().find_map(|line| {
            let value = line.strip_prefix(&prefix)?;
            Some(value.trim_matches('\'').to_owned())
        });
        let address = address.unwrap_or_else(|| panic!("xtask did not start {name}: {exports}"));
        (this, address)
    }

    /// Kills the server with SIGKILL. Sends the signal directly, because starting xtask for it would give the server time to
    /// sync its data.
    ///
    /// # Panics
    /// If the server is not running.
    pub(crate) fn kill(&self) {
        let state = std::fs::read(self.state.join("state.json")).expect("xtask has written its state");
        let state: serde_json::Value = serde_json::from_slice(&state).expect("the state is JSON");
        let pid = state["processes"][self.name]["pid"].as_i64();
        let pid = pid.and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
        let pid = pid.expect("the state has the server's pid");
        kill_process(pid, Signal::KILL).expect("the server is running");
        // A zombie process has an empty command line.
        let command_line = format!("/proc/{}/cmdline", pid.as_raw_nonzero());
        while std::fs::read(&command_line).is_ok_and(|line| !line.is_empty()) {
            std::thread::yield_now();
        }
    }

    /// Starts the killed server again with the same address and data.
    pub(crate) fn restart(&self) {
        self.xtask(&["start", self.name]);
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

impl Drop for OwnServer {
    fn drop(&mut self) {
        let _ = self.command(&["reset"]).output();
    }
}
