//! Circuit breakers: one for each route and upstream, shared by all cores. A call asks its breaker for a permit and
//! reports its outcome afterwards. The lock is held only for the few steps of [`machine`], never during the call.

pub mod machine;
mod watch;
mod window;

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::Cluster;
use crate::{
    config,
    metrics::{BREAKER_OPENED, BREAKER_STATE},
};
use machine::{Machine, Permit, State};

pub use watch::watch;

/// Longest `Retry-After` while the upstream is unreachable, because its recovery is noticed within seconds.
const UNREACHABLE_RETRY: Duration = Duration::from_secs(5);

/// Stops the calls of a route to an upstream that fails, and lets them through again once it has recovered.
#[derive(Debug)]
pub struct Breaker {
    route: String,
    cluster: Arc<Cluster>,
    rules: config::Breaker,
    /// Deadline of the route.
    deadline: Duration,
    created: Instant,
    machine: Mutex<Machine>,
}

impl Breaker {
    /// A closed breaker. `deadline` is that of the route.
    #[must_use]
    pub fn new(route: &str, cluster: &Arc<Cluster>, rules: &config::Breaker, deadline: Duration) -> Self {
        let labels = [("route", route), ("upstream", &*cluster.name)];
        // Create the series now, so that they are exposed as 0.
        BREAKER_STATE.of(labels);
        BREAKER_OPENED.of(labels);
        Self {
            route: route.to_owned(),
            cluster: Arc::clone(cluster),
            rules: rules.clone(),
            deadline,
            created: Instant::now(),
            machine: Mutex::new(Machine::new(rules.clone(), RandomState::new().hash_one(route))),
        }
    }

    /// Whether this is the breaker of the given route and upstream, with the same rules.
    #[must_use]
    pub fn is_for(
        &self,
        route: &str,
        cluster: &Arc<Cluster>,
        rules: &config::Breaker,
        deadline: Duration,
    ) -> bool {
        self.route == route
            && Arc::ptr_eq(&self.cluster, cluster)
            && self.rules == *rules
            && self.deadline == deadline
    }

    /// A call that timed out after less time than this is not counted as a failure.
    fn fair_time(&self) -> Duration {
        self.rules.slow.over.0.min(self.deadline / 2)
    }

    /// A permit for one call, or the time after which clients may retry.
    fn admit(&self) -> Result<Permit, Duration> {
        self.with_machine(Machine::admit)
            .map_err(|wait| self.retry_after(wait))
    }

    /// Fails with the time after which clients may retry while the breaker is open. Uses no probe, so it may be called
    /// before the call is ready to be made.
    pub fn refuse_if_open(&self) -> Result<(), Duration> {
        let wait = self.with_machine(|machine, now| {
            machine.tick(now);
            machine.wait(now)
        });
        wait.map_or(Ok(()), |wait| Err(self.retry_after(wait)))
    }

    /// The time after which clients may retry. An unreachable upstream is tried as soon as it accepts connections
    /// again, so the time is then short.
    fn retry_after(&self, wait: Duration) -> Duration {
        if self.cluster.is_unreachable() {
            wait.min(UNREACHABLE_RETRY)
        } else {
            wait
        }
    }

    /// The JSON of this breaker in the list of upstreams.
    fn report(&self) -> Value {
        let (state, tally, wait) =
            self.with_machine(|machine, now| (machine.state(), machine.tally(now), machine.wait(now)));
        let share = |part: u32| f64::from(part) / f64::from(tally.calls.max(1));
        json!({
            "route": self.route,
            "state": match state {
                State::Closed => "closed",
                State::Open => "open",
                State::HalfOpen => "half_open",
            },
            "calls": tally.calls,
            "failure_rate": share(tally.failed),
            "slow_rate": share(tally.slow),
            "retry_in_seconds": wait.map(|wait| wait.as_secs_f64()),
        })
    }

    /// Runs `action` on the locked state machine. Logs and counts a change of its state.
    fn with_machine<T>(&self, action: impl FnOnce(&mut Machine, Duration) -> T) -> T {
        let mut machine = self.machine.lock().unwrap_or_else(PoisonError::into_inner);
        let before = machine.state();
        let result = action(&mut machine, self.created.elapsed());
        let after = machine.state();
        if before == after {
            return result;
        }
        let (route, upstream) = (&*self.route, &*self.cluster.name);
        let labels = [("route", route), ("upstream", upstream)];
        BREAKER_STATE.of(labels).set(match after {
            State::Closed => 0.0,
            State::Open => 1.0,
            State::HalfOpen => 2.0,
        });
        drop(machine);
        match after {
            State::Closed => tracing::info!(route, upstream, "the breaker closed; all calls are let through"),
            State::HalfOpen => tracing::info!(
                route,
                upstream,
                "the breaker is half-open; a few calls are let through as probes"
            ),
            State::Open => {
                BREAKER_OPENED.of(labels).inc();
                tracing::warn!(route, upstream, "the breaker opened; calls are rejected");
            }
        }
        result
    }
}

/// A call that may be made, because the breaker is closed, gave it a probe, or does not exist. If it is dropped without
/// an outcome, for example because the client has disconnected, the call does not count.
#[derive(Debug)]
#[must_use]
pub struct Attempt {
    permit: Option<(Arc<Breaker>, Permit)>,
    started: Instant,
}

impl Attempt {
    /// Asks the breaker for a permit. The error is the time after which clients may retry.
    pub fn begin(breaker: Option<&Arc<Breaker>>) -> Result<Self, Duration> {
        let permit = breaker.map(|breaker| breaker.admit()).transpose()?;
        Ok(Self {
            permit: breaker.cloned().zip(permit),
            started: Instant::now(),
        })
    }

    /// Records that no response came before the deadline. This counts as a failure only if the upstream had enough
    /// time: a client that finishes its body at the last moment must not be able to open the breaker for all others.
    pub fn record_timeout(self) {
        let available = self.started.elapsed();
        if self
            .permit
            .as_ref()
            .is_some_and(|(breaker, _)| available >= breaker.fair_time())
        {
            self.record(true);
        }
    }

    /// Records the outcome of the call and its duration.
    pub fn record(self, failed: bool) {
        let took = self.started.elapsed();
        self.record_after(failed, took);
    }

    /// Records the outcome of a call that took this time.
    pub fn record_after(mut self, failed: bool, took: Duration) {
        if let Some((breaker, permit)) = self.permit.take() {
            breaker.with_machine(|machine, now| machine.record(permit, failed, took, now));
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some((breaker, permit)) = self.permit.take() {
            breaker.with_machine(|machine, _| machine.release(permit));
        }
    }
}

/// The JSON of all breakers of an upstream in the list of upstreams.
#[must_use]
pub fn report(breakers: &[Arc<Breaker>], upstream: &Cluster) -> Value {
    let own = breakers
        .iter()
        .filter(|breaker| breaker.cluster.name == upstream.name);
    own.map(|breaker| breaker.report()).collect()
}
