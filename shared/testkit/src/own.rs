//! A server of one test's own, which the test may kill. xtask runs it, as it runs all servers.

use std::{path::PathBuf, process::Command};

use rustix::process::{Pid, Signal, kill_process};
use uuid::Uuid;

/// The server. Its process and its data are deleted with this.
#[derive(Debug)]
pub(crate) struct OwnServer {
    name: &'static str,
    xtask: String,
    state: PathBuf,
}

impl OwnServer {
    /// Starts the server that xtask calls `name`. Also returns its address, which xtask prints as `variable`.
    ///
    /// # Panics
    /// Without `SOUK_XTASK`, and when the server does not start.
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
        let address = address.unwrap_or_else(|| panic!("xtask started no {name}: {exports}"));
        (this, address)
    }

    /// `kill -9`, at once: starting another program for it would give the server time to write what it has not synced.
    ///
    /// # Panics
    /// When it does not run.
    pub(crate) fn kill(&self) {
        let state = std::fs::read(self.state.join("state.json")).expect("xtask keeps a state");
        let state: serde_json::Value = serde_json::from_slice(&state).expect("the state is JSON");
        let pid = state["processes"][self.name]["pid"].as_i64();
        let pid = pid.and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
        let pid = pid.expect("it was started");
        kill_process(pid, Signal::KILL).expect("it runs");
        // A dead process that nobody has waited for has no command line any more.
        let command_line = format!("/proc/{}/cmdline", pid.as_raw_nonzero());
        while std::fs::read(&command_line).is_ok_and(|line| !line.is_empty()) {
            std::thread::yield_now();
        }
    }

    /// Starts it again, where it was and with what it had.
    pub(crate) fn start_again(&self) {
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
