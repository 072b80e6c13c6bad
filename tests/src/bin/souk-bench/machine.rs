//! What processes take of this machine, from Linux's /proc.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    time::Duration,
};

use anyhow::{Context as _, Result};
use e2e::stack::Process;

/// CPU seconds and resident memory by the name of a process, whose children count with it: PostgreSQL has one for each
/// connection, and RabbitMQ runs below a shell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usage(BTreeMap<String, Used>);

#[derive(Debug, Clone, Copy, Default)]
struct Used {
    cpu: f64,
    mib: f64,
}

impl Usage {
    /// What these processes have taken until now, and the children that they have now.
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
                    // A child may end meanwhile.
                    used.cpu += cpu_seconds(child).unwrap_or_default();
                    used.mib += own_mib(child).unwrap_or_default();
                    waiting.push(child);
                }
            }
            usage.insert(process.name.clone(), used);
        }
        Ok(Self(usage))
    }

    /// CPU milliseconds since `before` by process, for each of `times`.
    pub(crate) fn cpu_since(&self, before: &Self, times: f64) -> BTreeMap<&str, f64> {
        let since = self.0.iter().map(|(name, used)| {
            let before = before.0.get(name).copied().unwrap_or_default();
            (name.as_str(), (used.cpu - before.cpu).max(0.0) * 1e3 / times)
        });
        since.collect()
    }

    /// Resident MiB by process.
    pub(crate) fn memory(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, used)| (name.as_str(), used.mib))
    }
}

/// The children of each process.
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

/// None for a process that has just ended.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold spaces and parentheses.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// The time that the threads of a process have run: the first field of `schedstat`, in nanoseconds. What proc(5)'s
/// `stat` tells in ticks of 10 ms is too coarse for a few thousand requests.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).context("a process has ended")? {
        // A thread may end meanwhile.
        let stat = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        nanoseconds += stat.split_whitespace().next().map_or(Ok(0), str::parse::<u64>)?;
    }
    Ok(Duration::from_nanos(nanoseconds).as_secs_f64())
}

/// The resident memory of a process, with what it shares.
pub(crate) fn resident_mib(pid: u32) -> Result<f64> {
    mib(pid, "VmRSS:")
}

/// The same without what it shares with its parent.
fn own_mib(pid: u32) -> Result<f64> {
    mib(pid, "RssAnon:")
}

fn mib(pid: u32, field: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("a process has ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("a process has no memory")?.parse::<f64>()? / 1024.0)
}
