//! Metrics of the process itself: memory, CPU time, file descriptors and the tasks of the runtime. They are read on each
//! scrape, and have the names that the Prometheus client libraries use.

use std::{fs, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Handle;

/// Registers the metrics of the process.
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
        let mut put = |name: &str, help: &str, metric: &dyn DynMetric| {
            metric.put(encoder.encode_descriptor(name, help, None, metric.kind())?)
        };
        if let Some(bytes) = resident_bytes() {
            let gauge = ConstGauge::new(bytes);
            put("process_resident_memory_bytes", "Resident memory", &gauge)?;
        }
        let seconds = ConstCounter::new(cpu_seconds());
        put("process_cpu_seconds", "CPU time, user and system", &seconds)?;
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
            put("tokio_alive_tasks", "Tasks that have not completed", &tasks)?;
            let queued = count(runtime.global_queue_depth());
            put(
                "tokio_global_queue_depth",
                "Tasks waiting for a worker thread",
                &queued,
            )?;
            let workers = count(runtime.num_workers());
            put("tokio_workers", "Worker threads that run tasks", &workers)?;
        }
        Ok(())
    }
}

/// An object-safe variant of [`EncodeMetric`].
trait DynMetric {
    fn put(&self, encoder: prometheus_client::encoding::MetricEncoder<'_>) -> std::fmt::Result;
    fn kind(&self) -> MetricType;
}

impl<M: EncodeMetric> DynMetric for M {
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

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default().as_secs_f64()
}
