//! The processes that are measured.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::interrupt;

/// A running process, which is ended when this is dropped.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    /// Starts a process whose output goes to `folder/name.out`.
    pub(super) fn start(mut command: Command, folder: &Path, name: &str) -> Result<Self> {
        let out = File::create(folder.join(format!("{name}.out")))?;
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        Ok(Self(
            command.spawn().with_context(|| format!("cannot start {name}"))?,
        ))
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.0), signal)?)
    }

    /// The process and its children, which may change with a reload.
    fn family(&self) -> Result<Vec<u32>> {
        let pid = self.0.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        Ok(std::iter::once(pid).chain(children).collect())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Not killed at once: nginx must end its workers.
        let _ = self.signal(Signal::TERM);
        let has_ended = interrupt::wait(Duration::from_secs(5), || Ok(self.0.try_wait()?.is_some()));
        if !has_ended.unwrap_or(false) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// What a process and its children have used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// CPU time so far, in seconds.
    pub(super) cpu: f64,
    /// Resident memory, in MiB.
    pub(super) memory: f64,
}

impl Usage {
    pub(super) fn of(process: &Process) -> Result<Self> {
        let (mut nanoseconds, mut memory) = (0.0, 0.0);
        for pid in process.family()? {
            for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
                let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
                let used: f64 = text.split(' ').next().unwrap_or_default().parse()?;
                nanoseconds += used;
            }
            let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
            let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kib = line
                .and_then(|line| line.split_whitespace().next())
                .unwrap_or("0");
            memory += kib.parse::<f64>()? / 1024.0;
        }
        Ok(Self {
            cpu: nanoseconds / 1e9,
            memory,
        })
    }
}
