//! One instance of an upstream, with counters of its requests and failures.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    health::{Health, State},
    latency::Latency,
};

/// The latency that a failure counts as, if it took less time. Otherwise an instance that fails immediately would look
/// fast and attract all requests.
const FAILURE_LATENCY: Duration = Duration::from_secs(1);
/// Smallest share of a new instance.
const FIRST_SHARE: f64 = 0.1;

/// An instance of an upstream, with what is known about its load and its health.
#[derive(Debug)]
pub struct Instance {
    /// IP address and port of the instance.
    pub address: SocketAddr,
    /// When it was found. All other times are relative to this one.
    found: Instant,
    latency: Latency,
    pub(super) health: Health,
    in_flight: AtomicUsize,
    requests: AtomicU64,
    failures: AtomicU64,
    last_failure: Mutex<Option<Failure>>,
}

#[derive(Debug, Clone, Serialize)]
struct Failure {
    at: String,
    reason: String,
}

impl Instance {
    /// An instance that has just been found. If it `is_checked`, it is unhealthy until its first health check.
    pub(super) fn new(address: SocketAddr, is_checked: bool) -> Arc<Self> {
        Self::found_at(address, Instant::now(), is_checked)
    }

    pub(super) fn found_at(address: SocketAddr, found: Instant, is_checked: bool) -> Arc<Self> {
        Arc::new(Self {
            address,
            found,
            latency: Latency::default(),
            health: Health::new(is_checked),
            in_flight: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            last_failure: Mutex::new(None),
        })
    }

    /// A request that is in flight until the returned value is dropped.
    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    /// Counts a request that is sent.
    pub fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a failure after this time: the instance refused a connection, broke one, or responded with an error.
    pub(super) fn record_failure(&self, reason: &dyn std::fmt::Display, took: Duration) {
        self.record_latency(took.max(FAILURE_LATENCY));
        self.failures.fetch_add(1, Ordering::Relaxed);
        let at = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let reason = reason.to_string();
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(Failure { at, reason });
    }

    /// Time since the instance was found.
    pub(super) fn age(&self) -> Duration {
        self.found.elapsed()
    }

    /// Records the time to the head of a response.
    pub(super) fn record_latency(&self, took: Duration) {
        self.latency.record(took, self.age());
    }

    /// Records that the instance refused a request because it is overloaded. That is no failure, but it should get fewer.
    pub(super) fn record_shed(&self, took: Duration) {
        self.record_latency(took.max(FAILURE_LATENCY));
    }

    /// Whether the instance gets requests, or why not.
    pub(super) fn state(&self) -> State {
        self.health.state(self.age())
    }

    /// Whether requests are sent to this instance.
    pub(super) fn is_available(&self) -> bool {
        self.state() == State::Healthy
    }

    /// Average time to the head of a response in seconds; `None` if there was none yet.
    pub(super) fn latency(&self) -> Option<f64> {
        self.latency.seconds(self.age())
    }

    /// Number of requests in flight.
    pub(super) fn in_flight(&self) -> f64 {
        f64::from(u32::try_from(self.in_flight.load(Ordering::Relaxed)).unwrap_or(u32::MAX))
    }

    /// The share of requests that this instance gets, at most 1. It grows in this time after the instance was put
    /// into service.
    pub(super) fn weight(&self, slow_start: Option<Duration>) -> f64 {
        slow_start.map_or(1.0, |time| {
            let since = self.age().saturating_sub(self.health.in_service_since());
            (since.as_secs_f64() / time.as_secs_f64()).clamp(FIRST_SHARE, 1.0)
        })
    }

    /// The JSON of this instance in the list of upstreams.
    pub(super) fn report(&self) -> Value {
        let last = self.last_failure.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "address": self.address,
            "state": self.state(),
            "latency_seconds": self.latency(),
            "in_flight": self.in_flight.load(Ordering::Relaxed),
            "requests": self.requests.load(Ordering::Relaxed),
            "failures": self.failures.load(Ordering::Relaxed),
            "last_failure": *last,
        })
    }
}

/// A request in flight to an instance.
#[derive(Debug)]
pub struct InFlight(Arc<Instance>);

impl std::ops::Deref for InFlight {
    type Target = Arc<Instance>;

    fn deref(&self) -> &Arc<Instance> {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
