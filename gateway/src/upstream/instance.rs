//! One instance of an upstream, and how requests to it went.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use serde::Serialize;
use serde_json::{Value, json};

/// An instance. What is counted is for people to look at: nothing is decided by it.
#[derive(Debug)]
pub struct Instance {
    /// Where it is.
    pub address: SocketAddr,
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
    pub(super) fn new(address: SocketAddr) -> Arc<Self> {
        Arc::new(Self {
            address,
            in_flight: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            last_failure: Mutex::new(None),
        })
    }

    /// A request is on its way there, until what is returned is dropped.
    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    /// It refused a connection, broke one, or answered that it failed.
    pub fn failed(&self, reason: &dyn std::fmt::Display) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let at = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let reason = reason.to_string();
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(Failure { at, reason });
    }

    /// As the list of upstreams shows it.
    pub(super) fn report(&self) -> Value {
        let last = self.last_failure.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "address": self.address,
            "in_flight": self.in_flight.load(Ordering::Relaxed),
            "requests": self.requests.load(Ordering::Relaxed),
            "failures": self.failures.load(Ordering::Relaxed),
            "last_failure": *last,
        })
    }
}

/// A request on its way.
#[derive(Debug)]
pub struct InFlight(Arc<Instance>);

impl std::ops::Deref for InFlight {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
