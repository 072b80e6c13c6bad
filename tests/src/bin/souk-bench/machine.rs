//! Reads the resource usage of processes from Linux's /proc.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    time::Duration,
};

use anyhow::{Context as _, Result};
use e2e::stack::Process;

/// CPU seconds and resident memory by name of the process. Child processes are included, because PostgreSQL has one for each
/// connection, and RabbitMQ runs as a child of a shell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usage(BTreeMap<String, Used>);

#[derive(Debug, Clone, Copy, Default)]
struct Used {
    cpu: f64,
    mib: f64,
}

impl Usage {
    /// Reads the usage of these processes and their current children.
    pub(crate) fn read(processes: &[Process]) -> Result<Self> {
        let children = children()?;
        let mut usage = BTreeMap::new();
        for process in processes {
            let mut used = Used {
                cpu: cpu_seconds(process.pid)?,
                mib: resident_mib(process.pid)?,
            };
            let mut waiting = vec![process.pid];
            while let Some(parent) = waiting.pop() {
                for child in children.get(&parent).into_iter().flatten().copied() {
                    // The child may have ended in the meantime.
                    used.cpu += cpu_seconds(child).unwrap_or_default();
                    used.mib += private_mib(child).unwrap_or_default();
                    waiting.push(child);
                }
            }
            usage.insert(process.name.clone(), used);
        }
        Ok(Self(usage))
    }

    /// Returns the CPU milliseconds since `before` by process, divided by `times`.
    pub(crate) fn cpu_since(&self, before: &Self, times: f64) -> BTreeMap<&str, f64> {
        let since = self.0.iter().map(|(name, used)| {
            let before = before.0.get(name).copied().unwrap_or_default();
            (name.as_str(), (used.cpu - before.cpu).max(0.0) * 1e3 / times)
        });
        since.collect()
    }

    /// Returns the resident memory in MiB by process.
    pub(crate) fn memory(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, used)| (name.as_str(), used.mib))
    }
}

/// Returns the child processes of every process.
fn children() -> Result<HashMap<u32, Vec<u32>>> {
    let mut children = HashMap::<u32, Vec<u32>>::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if let Some(parent) = parent(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    Ok(children)
}

/// Returns the parent of a process, or `None` if the process has just ended.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The preceding name may contain spaces and parentheses.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Returns the CPU time of all threads of a process, from the first field of `schedstat` in nanoseconds. The file `stat` has
/// a resolution of 10 ms, which is too coarse for a few thousand requests.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).context("a process has ended")? {
        // The thread may have ended in the meantime.
        let stat = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        nanoseconds += stat.split_whitespace().next().map_or(Ok(0), str::parse::<u64>)?;
    }
    Ok(Duration::from_nanos(nanoseconds).as_secs_f64())
}

/// Returns the resident memory of a process in MiB, including shared memory.
pub(crate) fn resident_mib(pid: u32) -> Result<f64> {
    mib(pid, "VmRSS:")
}

/// Returns the resident memory of a process in MiB without memory that it shares with its parent.
fn private_mib(pid: u32) -> Result<f64> {
    mib(pid, "RssAnon:")
}

fn mib(pid: u32, field: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("a process has ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("a process has no memory")?.parse::<f64>()? / 1024.0)
}
