//! Starts, checks and stops processes that outlive the command that started them.

use std::{
    fs::{File, OpenOptions},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::account::Account;
use crate::interrupt;

/// Environment variables that a process inherits from the caller. All others are set explicitly, so that the caller's shell
/// does not change how a process behaves.
const INHERITED: [&str; 7] = [
    "PATH",
    "LANG",
    "TZ",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
const INHERITED_PREFIX: &str = "OTEL_";

/// A program with everything that is needed to start it.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) file: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) folder: PathBuf,
    pub(crate) account: Option<Account>,
    /// Files that the program reads at its start. A change of them changes the stamp.
    pub(crate) reads: Vec<PathBuf>,
}

/// A started process. It is identified by pid and start time, because the system reuses pids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    started: u64,
    /// Stamp of the program that it was started from; see [`Program::stamp`].
    pub(crate) stamp: String,
}

impl Program {
    /// A hash that changes with the program file, its arguments, its environment, or the files that it reads.
    pub(crate) fn stamp(&self) -> Result<String> {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let data = self
            .file
            .metadata()
            .with_context(|| format!("{} is missing", self.file.display()))?;
        let mut hasher = DefaultHasher::new();
        (&self.arguments, &self.environment, data.len(), data.modified()?).hash(&mut hasher);
        for file in &self.reads {
            std::fs::read(file)
                .with_context(|| format!("cannot read {}", file.display()))?
                .hash(&mut hasher);
        }
        Ok(format!("{:016x}", hasher.finish()))
    }

    /// Returns the command that starts the program, without running it.
    pub(crate) fn command(&self) -> Command {
        // With setsid, neither Ctrl-C nor closing the terminal reaches the process; it is ended by its pid.
        let mut command = Command::new("setsid");
        command
            .arg(&self.file)
            .args(&self.arguments)
            .current_dir(&self.folder)
            .env_clear()
            .stdin(Stdio::null());
        for (key, value) in std::env::vars_os() {
            let name = key.to_string_lossy();
            if INHERITED.contains(&&*name) || name.starts_with(INHERITED_PREFIX) {
                command.env(key, value);
            }
        }
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        if let Some(Account { uid, gid }) = self.account {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Starts the program in the background and appends its output to the log.
    pub(crate) fn spawn(&self, log: &Path) -> Result<Process> {
        let output = append(log)?;
        let child = self
            .command()
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {}", self.file.display()))?;
        let pid = i32::try_from(child.id())?;
        // We do not wait for the child: if it ends first, it stays a zombie until we end, and counts as ended.
        let started = start_time(pid).unwrap_or_default();
        Ok(Process {
            pid,
            started,
            stamp: self.stamp()?,
        })
    }

    /// Runs the program to its end. On failure the error contains the last lines of its output.
    pub(crate) fn run(&self, log: &Path) -> Result<()> {
        let output = append(log)?;
        let from = output.metadata()?.len();
        let status = self
            .command()
            .stdout(output.try_clone()?)
            .stderr(output)
            .status()
            .with_context(|| format!("cannot run {}", self.file.display()))?;
        interrupt::check()?;
        if !status.success() {
            let name = self.file.file_name().unwrap_or_default().to_string_lossy();
            bail!(
                "`{name} {}` failed ({status}). The end of {}:\n{}",
                self.arguments.join(" "),
                log.display(),
                tail(log, from)
            );
        }
        Ok(())
    }
}

impl Process {
    pub(crate) fn is_alive(&self) -> bool {
        start_time(self.pid) == Some(self.started)
    }

    fn signal(&self, signal: Signal) {
        if self.is_alive()
            && let Some(pid) = Pid::from_raw(self.pid)
        {
            let _ = kill_process(pid, signal);
        }
    }

    /// Kills the process and waits until it has ended.
    pub(crate) fn kill(&self) -> Result<()> {
        self.signal(Signal::KILL);
        interrupt::wait(Duration::from_secs(10), || Ok(!self.is_alive()))?;
        Ok(())
    }

    /// Sends the signal, waits for the process to end, and kills it when `patience` is over.
    pub(crate) fn stop(&self, signal: Signal, patience: Duration) -> Result<()> {
        self.signal(signal);
        if !interrupt::wait(patience, || Ok(!self.is_alive()))? {
            self.kill()?;
        }
        Ok(())
    }
}

/// Whether a living process has that pid.
pub(crate) fn exists(pid: i32) -> bool {
    start_time(pid).is_some()
}

/// Start time of the process in ticks since boot; `None` if it does not exist, or is dead and not yet reaped.
fn start_time(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may contain anything. Fields are counted after it: state is the first, start time the 20th.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (state != "Z" && state != "X")
        .then(|| fields.nth(18)?.parse().ok())
        .flatten()
}

fn append(log: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write {}", log.display()))
}

/// The last lines of a log, but none before the byte offset `from`.
pub(crate) fn tail(log: &Path, from: u64) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(
        bytes
            .get(usize::try_from(from).unwrap_or_default()..)
            .unwrap_or_default(),
    );
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_identified_by_pid_and_start_time() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let mut process = Process {
            pid,
            started: start_time(pid).unwrap(),
            stamp: String::new(),
        };
        assert!(process.is_alive());
        process.started += 1;
        assert!(!process.is_alive());
    }

    #[test]
    fn a_changed_file_changes_the_stamp() {
        let file = std::env::temp_dir().join(format!("souk-stamp-{}", std::process::id()));
        let mut program = Program {
            file: "/bin/sh".into(),
            arguments: vec![],
            environment: vec![],
            folder: std::env::temp_dir(),
            account: None,
            reads: vec![],
        };
        let alone = program.stamp().unwrap();
        program.reads.push(file.clone());
        std::fs::write(&file, "retention: 7d").unwrap();
        let before = program.stamp().unwrap();
        std::fs::write(&file, "retention: 8d").unwrap();
        let after = program.stamp().unwrap();
        std::fs::remove_file(file).unwrap();
        assert!(alone != before && before != after);
        assert!(program.stamp().unwrap_err().to_string().contains("cannot read"));
    }
}
