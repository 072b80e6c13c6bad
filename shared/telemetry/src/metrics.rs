//! The metrics of the process in the Prometheus text format. Names include the unit. Labels have few values, never ids.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, atomic::AtomicU64};

use prometheus_client::{
    encoding::text::encode as encode_text,
    metrics::{counter, family::Family, gauge, histogram},
    registry::{Metric as Registrable, Registry},
};

/// The label names of a series with their values.
pub type Labels = Vec<(&'static str, String)>;
/// A counter, which only increases. `/metrics` adds the suffix `_total` to the name given here.
pub type Counter = Metric<CounterSeries>;
/// A gauge, whose current value can increase and decrease.
pub type Gauge = Metric<GaugeSeries>;
/// One series of a [`Counter`]. Keep it if it is incremented often.
pub type CounterSeries = counter::Counter;
/// One series of a [`Gauge`]. Keep it if it is set often.
pub type GaugeSeries = gauge::Gauge<f64, AtomicU64>;
/// A histogram of durations in seconds.
pub type Histogram = Metric<histogram::Histogram>;

static REGISTRY: OnceLock<Mutex<Registry>> = OnceLock::new();

/// Bucket bounds for requests, calls and messages: 1 millisecond to 10 seconds.
const SECONDS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Bucket bounds for database statements and waiting for a connection: 0.1 milliseconds to 5 seconds.
const SHORT_SECONDS: [f64; 11] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0,
];

/// Duration of received requests, from the request headers to the response headers.
pub static SERVER_DURATION: Histogram = Histogram::seconds(
    "http_server_request_duration_seconds",
    "Time from the request headers to the response headers",
);

/// Returns the registry of the process, for registering collectors.
pub fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// Encodes all metrics in the text format that `/metrics` returns.
#[must_use]
pub fn encode() -> String {
    let mut text = String::new();
    // This fails only if the encoder of a metric fails. Then return the metrics encoded so far.
    let _ = encode_text(&mut text, &registry());
    text
}

/// A named metric with one series per set of labels. Use it as a static; it is registered on first use.
#[derive(Debug)]
pub struct Metric<M> {
    name: &'static str,
    help: &'static str,
    new: fn() -> M,
    family: OnceLock<Family<Labels, M>>,
}

impl Counter {
    /// Creates a counter whose series start at 0.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, counter::Counter::default)
    }
}

impl Gauge {
    /// Creates a gauge whose series start at 0.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, gauge::Gauge::default)
    }
}

impl Histogram {
    /// Creates a histogram for durations from milliseconds to seconds.
    #[must_use]
    pub const fn seconds(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, || histogram::Histogram::new(SECONDS))
    }

    /// Creates a histogram for durations from microseconds to milliseconds.
    #[must_use]
    pub const fn short_seconds(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, || histogram::Histogram::new(SHORT_SECONDS))
    }
}

impl<M> Metric<M> {
    const fn new(name: &'static str, help: &'static str, new: fn() -> M) -> Self {
        Self {
            name,
            help,
            new,
            family: OnceLock::new(),
        }
    }
}

impl<M> Metric<M>
where
    M: Clone,
    Family<Labels, M>: Registrable,
{
    /// Returns the series with these labels and creates it if necessary. Call this at startup to export a counter that is
    /// still 0.
    pub fn of<const N: usize>(&self, labels: [(&'static str, &str); N]) -> M {
        let family = self.family.get_or_init(|| {
            let family = Family::new_with_constructor(self.new);
            registry().register(self.name, self.help, family.clone());
            family
        });
        let labels = labels.map(|(name, value)| (name, value.to_owned()));
        family.get_or_create(&labels.into()).clone()
    }
}

/// Returns the method of a request as a label value. Unknown methods become `_OTHER`, because clients can send any number
/// of different ones.
#[must_use]
pub fn method(method: &http::Method) -> &str {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "TRACE" | "CONNECT") => {
            known
        }
        _ => "_OTHER",
    }
}
