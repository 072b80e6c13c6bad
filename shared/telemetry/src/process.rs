//! What the process itself uses, read when somebody asks: memory, processor time, file descriptors and the runtime's
//! tasks, by the names that Prometheus' own libraries give them.

use std::fs;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use tokio::runtime::Handle;

/// What the kernel counts processor time in, on every platform with a `/proc`; see proc(5) and sysconf(3).
const TICKS_A_SECOND: f64 = 100.0;

/// Shows the process on `/metrics`.
pub(crate) fn register() {
    crate::metrics::registry().register_collector(Box::new(Process {
        runtime: Handle::try_current().ok(),
    }));
}

#[derive(Debug)]
struct Process {
    runtime: Option<Handle>,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut put = |name: &str, help: &str, metric: &dyn Put| {
            metric.put(encoder.encode_descriptor(name, help, None, metric.kind())?)
        };
        if let Some(bytes) = resident_bytes() {
            let gauge = ConstGauge::new(bytes);
            put("process_resident_memory_bytes", "Resident memory", &gauge)?;
        }
        if let Some(seconds) = processor_seconds() {
            let counter = ConstCounter::new(seconds);
            put("process_cpu_seconds", "Processor time, user and system", &counter)?;
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            let open = i64::try_from(files.count()).unwrap_or(i64::MAX);
            put(
                "process_open_fds",
                "Open file descriptors",
                &ConstGauge::new(open),
            )?;
        }
        if let Some(runtime) = self.runtime.as_ref().map(Handle::metrics) {
            let count = |number: usize| ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX));
            let tasks = count(runtime.num_alive_tasks());
            put("tokio_alive_tasks", "Tasks that have not ended", &tasks)?;
            let queued = count(runtime.global_queue_depth());
            put(
                "tokio_global_queue_depth",
                "Tasks that wait for a worker",
                &queued,
            )?;
            let workers = count(runtime.num_workers());
            put("tokio_workers", "Threads that run tasks", &workers)?;
        }
        Ok(())
    }
}

/// An [`EncodeMetric`] behind a pointer, which it cannot be by itself.
trait Put {
    fn put(&self, encoder: prometheus_client::encoding::MetricEncoder<'_>) -> std::fmt::Result;
    fn kind(&self) -> MetricType;
}

impl<M: EncodeMetric> Put for M {
    fn put(&self, encoder: prometheus_client::encoding::MetricEncoder<'_>) -> std::fmt::Result {
        self.encode(encoder)
    }

    fn kind(&self) -> MetricType {
        self.metric_type()
    }
}

fn resident_bytes() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace()
        .next()?
        .parse::<i64>()
        .ok()
        .map(|kibibytes| kibibytes * 1024)
}

fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name may hold spaces and ends with the last parenthesis; user and system time are the 14th and 15th.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).take(2);
    let ticks = times.next()?.parse::<f64>().ok()? + times.next()?.parse::<f64>().ok()?;
    Some(ticks / TICKS_A_SECOND)
}
