//! Circuit breakers: one for each route and upstream, shared by all cores. It is asked before a call and told after it;
//! between the two nothing is locked, and neither waits for anything but the few steps of [`machine`].

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

/// When clients may ask again for what nobody could connect to.
const SOON: Duration = Duration::from_secs(5);

/// What keeps a route from asking an upstream that fails.
#[derive(Debug)]
pub struct Breaker {
    route: String,
    cluster: Arc<Cluster>,
    /// A call that had less time than this and got no answer says nothing about the upstream.
    fair_time: Duration,
    born: Instant,
    machine: Mutex<Machine>,
}

impl Breaker {
    /// A closed one, of a route with this deadline.
    #[must_use]
    pub fn new(route: &str, cluster: &Arc<Cluster>, rules: &config::Breaker, deadline: Duration) -> Self {
        let labels = [("route", route), ("upstream", &*cluster.name)];
        // Shown from the beginning, as 0.
        BREAKER_STATE.of(labels);
        BREAKER_OPENED.of(labels);
        Self {
            route: route.to_owned(),
            cluster: Arc::clone(cluster),
            fair_time: rules.slow.over.0.min(deadline / 2),
            born: Instant::now(),
            machine: Mutex::new(Machine::new(rules.clone(), RandomState::new().hash_one(route))),
        }
    }

    /// Whether it is that of this route and this upstream.
    #[must_use]
    pub fn is_of(&self, route: &str, upstream: &str) -> bool {
        self.route == route && self.cluster.name == upstream
    }

    /// Leave for a call, or the time after which to ask again.
    fn admit(&self) -> Result<Permit, Duration> {
        self.with(Machine::admit).map_err(|wait| self.until_retry(wait))
    }

    /// Fails while it is open, with the time after which to ask again. Takes no probe: for what comes before a call.
    pub fn refuse_if_open(&self) -> Result<(), Duration> {
        let wait = self.with(|machine, now| {
            machine.tick(now);
            machine.wait(now)
        });
        wait.map_or(Ok(()), |wait| Err(self.until_retry(wait)))
    }

    /// An upstream that nobody could connect to may be back at any time, and is then tried at once.
    fn until_retry(&self, wait: Duration) -> Duration {
        if self.cluster.is_away() {
            wait.min(SOON)
        } else {
            wait
        }
    }

    /// As the list of upstreams shows it.
    fn report(&self) -> Value {
        let (state, tally, wait) =
            self.with(|machine, now| (machine.state(), machine.tally(now), machine.wait(now)));
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

    /// Does something to the machine, and tells of what that changed.
    fn with<T>(&self, act: impl FnOnce(&mut Machine, Duration) -> T) -> T {
        let mut machine = self.machine.lock().unwrap_or_else(PoisonError::into_inner);
        let before = machine.state();
        let result = act(&mut machine, self.born.elapsed());
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
            State::Closed => tracing::info!(route, upstream, "the breaker closed"),
            State::HalfOpen => tracing::info!(route, upstream, "the breaker lets a few calls through"),
            State::Open => {
                BREAKER_OPENED.of(labels).inc();
                tracing::warn!(route, upstream, "the breaker opened");
            }
        }
        result
    }
}

/// A call that was let through, by its breaker or because there is none. Dropped without a verdict, as when the client has
/// left, it counts as none.
#[derive(Debug)]
#[must_use]
pub struct Attempt<'a> {
    leave: Option<(&'a Breaker, Permit)>,
    began: Instant,
}

impl<'a> Attempt<'a> {
    /// Asks the breaker, which may say after what time to ask again.
    pub fn begin(breaker: Option<&'a Breaker>) -> Result<Self, Duration> {
        let permit = breaker.map(Breaker::admit).transpose()?;
        Ok(Self {
            leave: breaker.zip(permit),
            began: Instant::now(),
        })
    }

    /// No answer came before the deadline. That is a failure only if the upstream had a fair part of the time: a client
    /// that sends its body until the last moment must not be able to open the breaker for everybody.
    pub fn judge_late(self) {
        let had = self.began.elapsed();
        if self
            .leave
            .as_ref()
            .is_some_and(|(breaker, _)| had >= breaker.fair_time)
        {
            self.judge(true);
        }
    }

    /// The upstream did well, or failed.
    pub fn judge(mut self, failed: bool) {
        if let Some((breaker, permit)) = self.leave.take() {
            let took = self.began.elapsed();
            breaker.with(|machine, now| machine.judge(permit, failed, took, now));
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let Some((breaker, permit)) = self.leave.take() {
            breaker.with(|machine, _| machine.give_back(permit));
        }
    }
}

/// Those of an upstream, as the list of upstreams shows them.
#[must_use]
pub fn report(breakers: &[Arc<Breaker>], upstream: &Cluster) -> Value {
    let of_it = breakers
        .iter()
        .filter(|breaker| breaker.cluster.name == upstream.name);
    of_it.map(|breaker| breaker.report()).collect()
}
