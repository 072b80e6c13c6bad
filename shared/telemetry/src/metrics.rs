//! The process's metrics in Prometheus' text format. Names carry their unit; labels have few values and never an id.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, atomic::AtomicU64};

use prometheus_client::{
    encoding::text::encode as encode_text,
    metrics::{counter, family::Family, gauge, histogram},
    registry::{Metric as Registrable, Registry},
};

/// Labels with their values.
pub type Labels = Vec<(&'static str, String)>;
/// A count of what has happened. Its name on `/metrics` ends in `_total`, which is not part of the name given here.
pub type Counter = Metric<CounterSeries>;
/// A value of now.
pub type Gauge = Metric<GaugeSeries>;
/// One series of a [`Counter`], to keep where it is counted often.
pub type CounterSeries = counter::Counter;
/// One series of a [`Gauge`], to keep where it is set often.
pub type GaugeSeries = gauge::Gauge<f64, AtomicU64>;
/// Durations in seconds.
pub type Histogram = Metric<histogram::Histogram>;

static REGISTRY: OnceLock<Mutex<Registry>> = OnceLock::new();

/// Requests, calls and messages: a millisecond to ten seconds.
const SECONDS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Statements and waits for a connection: a tenth of a millisecond to five seconds.
const SHORT_SECONDS: [f64; 11] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0,
];

/// Time from a request's head to the head of its answer.
pub static SERVER_DURATION: Histogram = Histogram::seconds(
    "http_server_request_duration_seconds",
    "Time from the request's head to the head of the answer",
);

/// The registry of the process, for registering a metric once.
pub fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// Everything registered, as `/metrics` answers it.
#[must_use]
pub fn encode() -> String {
    let mut text = String::new();
    // Writing to a String fails only if a metric's own encoder does; then the rest is still worth having.
    let _ = encode_text(&mut text, &registry());
    text
}

/// A named metric with one series a set of labels. A static: it registers itself when it is first used.
#[derive(Debug)]
pub struct Metric<M> {
    name: &'static str,
    help: &'static str,
    new: fn() -> M,
    family: OnceLock<Family<Labels, M>>,
}

impl Counter {
    /// A counter from 0.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, counter::Counter::default)
    }
}

impl Gauge {
    /// A gauge at 0.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, gauge::Gauge::default)
    }
}

impl Histogram {
    /// Of what takes milliseconds to seconds.
    #[must_use]
    pub const fn seconds(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, || histogram::Histogram::new(SECONDS))
    }

    /// Of what takes microseconds to milliseconds.
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
    /// The series with these labels, which exists from then on: also the way to show a counter that is still 0.
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

/// A request's method as a label. Clients can make up methods without end; a label has few values.
#[must_use]
pub fn method(method: &http::Method) -> &str {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "TRACE" | "CONNECT") => {
            known
        }
        _ => "_OTHER",
    }
}
