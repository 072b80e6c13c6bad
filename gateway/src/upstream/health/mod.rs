//! Which instances of an upstream get requests. Two things take an instance out of service: health checks that fail, and
//! requests that fail several times in a row (outlier ejection).

mod check;
mod eject;

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use serde::Serialize;

use check::Checks;
use eject::Ejections;

pub use check::watch;

/// The health of an instance. All times are those since the instance was found.
#[derive(Debug)]
pub(super) struct Health {
    checks: Checks,
    ejections: Ejections,
}

/// The health of an instance as operators see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Healthy,
    /// Its health checks fail, or none has been made yet.
    Unhealthy,
    /// Its requests failed several times in a row.
    Ejected,
}

impl Health {
    /// The health of a new instance. If it `is_checked`, it is unhealthy until its first check.
    pub(super) fn new(is_checked: bool) -> Self {
        Self {
            checks: Checks::new(is_checked),
            ejections: Ejections::default(),
        }
    }

    /// Whether the instance gets requests now, or why not.
    pub(super) fn state(&self, now: Duration) -> State {
        if !self.checks.is_up() {
            State::Unhealthy
        } else if self.ejections.until() > now {
            State::Ejected
        } else {
            State::Healthy
        }
    }

    /// When it was last put into service: found, passed its checks, or returned from an ejection.
    pub(super) fn in_service_since(&self) -> Duration {
        self.checks.up_since().max(self.ejections.until())
    }

    /// Records a request that did not fail.
    pub(super) fn request_succeeded(&self) {
        self.ejections.request_succeeded();
    }
}

/// A point in time that can be read and written without a lock.
#[derive(Debug, Default)]
struct Time(AtomicU64);

impl Time {
    fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Relaxed))
    }

    fn set(&self, time: Duration) {
        self.0
            .store(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }
}
