//! Adaptive concurrency: limits the calls in flight to an upstream by its latency, so that it is not overloaded, whatever
//! its capacity is at the moment (as in Netflix's concurrency-limits and Envoy's gradient controller). Calls above the
//! limit are rejected immediately, those of anonymous clients first.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use telemetry::metrics::{CounterSeries, GaugeSeries};

use super::Overloaded;
use crate::{
    config,
    message::Client,
    metrics::{ADAPTIVE_LIMIT, CALLS_SHED},
};

/// Limit before anything is known about the upstream.
const FIRST_LIMIT: f64 = 20.0;
/// The share of the limit that anonymous clients may use.
const ANONYMOUS_SHARE: f64 = 0.8;
/// The limit is adjusted after at least this time and this number of calls.
const WINDOW: Duration = Duration::from_millis(100);
const WINDOW_CALLS: u32 = 10;
/// The latency may be this many times the lowest one before the limit falls.
const TOLERANCE: f64 = 1.25;
/// The fraction by which the limit approaches its new value.
const SMOOTHING: f64 = 0.2;
/// The lowest latency is raised by this fraction in each second, so that it is forgotten if the upstream becomes
/// slower.
const FORGETTING: f64 = 0.001;

/// The limit of one upstream, shared by all routes and cores.
#[derive(Debug)]
pub(super) struct AdaptiveLimit {
    state: Mutex<State>,
    created: Instant,
    exposed: GaugeSeries,
    shed: [CounterSeries; 2],
}

#[derive(Debug)]
struct State {
    rules: config::Adaptive,
    limit: f64,
    in_flight: u32,
    /// The lowest average latency in seconds; `None` before the first window has ended.
    lowest: Option<f64>,
    window: Window,
}

/// The calls that have ended since the limit was adjusted.
#[derive(Debug, Default)]
struct Window {
    began: Duration,
    calls: u32,
    /// Sum of their latencies in seconds.
    total: f64,
    /// Most calls in flight.
    peak: u32,
    /// Whether the upstream timed out or rejected a call because it is overloaded.
    is_overloaded: bool,
}

/// A call in flight. If it is dropped without an outcome, it does not influence the limit.
#[derive(Debug)]
pub struct Ticket {
    limit: Arc<AdaptiveLimit>,
    started: Instant,
}

impl AdaptiveLimit {
    pub(super) fn new(upstream: &str, rules: &config::Adaptive) -> Arc<Self> {
        let shed = |clients| CALLS_SHED.of([("upstream", upstream), ("clients", clients)]);
        let state = State::new(rules.clone());
        let exposed = ADAPTIVE_LIMIT.of([("upstream", upstream)]);
        exposed.set(state.limit);
        Arc::new(Self {
            state: Mutex::new(state),
            created: Instant::now(),
            exposed,
            shed: [shed("anonymous"), shed("authenticated")],
        })
    }

    /// Permission for a call of this client, unless too many are in flight.
    pub(super) fn admit(self: &Arc<Self>, client: &Client) -> Result<Ticket, Overloaded> {
        let is_authenticated = matches!(client, Client::User(_));
        if !self.lock().admit(is_authenticated) {
            self.shed[usize::from(is_authenticated)].inc();
            return Err(Overloaded);
        }
        Ok(Ticket {
            limit: Arc::clone(self),
            started: Instant::now(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Records that the call has ended. `is_overloaded` means that the upstream timed out or rejected it.
    pub fn finish(self, is_overloaded: bool) {
        let now = self.limit.created.elapsed();
        let mut state = self.limit.lock();
        state.record(self.started.elapsed(), is_overloaded, now);
        self.limit.exposed.set(state.limit);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.limit.lock().in_flight -= 1;
    }
}

impl State {
    fn new(rules: config::Adaptive) -> Self {
        let (min, max) = (f64::from(rules.min.get()), f64::from(rules.max.get()));
        Self {
            rules,
            limit: FIRST_LIMIT.clamp(min, max),
            in_flight: 0,
            lowest: None,
            window: Window::default(),
        }
    }

    fn admit(&mut self, is_authenticated: bool) -> bool {
        let share = if is_authenticated { 1.0 } else { ANONYMOUS_SHARE };
        let is_admitted = f64::from(self.in_flight) < (self.limit * share).floor().max(1.0);
        if is_admitted {
            self.in_flight += 1;
            self.window.peak = self.window.peak.max(self.in_flight);
        }
        is_admitted
    }

    /// Adds the outcome of a call that ended at `now`, and adjusts the limit if enough have ended.
    fn record(&mut self, took: Duration, is_overloaded: bool, now: Duration) {
        let window = &mut self.window;
        window.calls += 1;
        window.total += took.as_secs_f64();
        window.is_overloaded |= is_overloaded;
        let length = now.saturating_sub(window.began);
        if window.calls < WINDOW_CALLS || length < WINDOW {
            return;
        }
        let window = std::mem::replace(
            &mut self.window,
            Window {
                began: now,
                peak: self.in_flight,
                ..Window::default()
            },
        );
        let latency = window.total / f64::from(window.calls);
        let forgotten = |lowest: f64| lowest * (1.0 + FORGETTING * length.as_secs_f64());
        let lowest = self
            .lowest
            .map_or(latency, |lowest| forgotten(lowest).min(latency));
        self.lowest = Some(lowest);
        let target = if window.is_overloaded {
            self.limit / 2.0
        } else if f64::from(window.peak) < self.limit / 2.0 {
            // With so few calls, the latency says nothing about a higher limit.
            return;
        } else {
            let gradient = (TOLERANCE * lowest / latency).clamp(0.5, 1.0);
            // The second term lets the limit grow while the latency does not.
            self.limit * gradient + self.limit.sqrt()
        };
        let limit = self.limit + SMOOTHING * (target - self.limit);
        self.limit = limit.clamp(f64::from(self.rules.min.get()), f64::from(self.rules.max.get()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State::new(serde_saphyr::from_str("{min: 4, max: 200}").unwrap())
    }

    /// Keeps as many calls in flight as possible for a time. The upstream serves `capacity` calls at once in 10 ms; further
    /// ones wait for them.
    fn run(state: &mut State, capacity: f64, seconds: std::ops::Range<u64>) {
        for window in seconds.start * 10..seconds.end * 10 {
            while state.admit(true) {}
            let in_flight = std::mem::take(&mut state.in_flight);
            let latency = 0.01 * (f64::from(in_flight) / capacity).max(1.0);
            let now = Duration::from_millis(100 * (window + 1));
            for _ in 0..in_flight.max(WINDOW_CALLS) {
                state.record(Duration::from_secs_f64(latency), false, now);
            }
        }
    }

    #[test]
    fn the_limit_follows_the_capacity_of_the_upstream() {
        let mut state = state();
        run(&mut state, 50.0, 0..60);
        assert!((50.0..80.0).contains(&state.limit), "{}", state.limit);
        run(&mut state, 10.0, 60..120);
        assert!((10.0..25.0).contains(&state.limit), "{}", state.limit);
        run(&mut state, 1000.0, 120..300);
        assert!(state.limit > 199.0, "{}", state.limit);
    }

    #[test]
    fn an_upstream_that_rejects_calls_gets_fewer() {
        let mut state = state();
        for window in 1..100 {
            while state.admit(true) {}
            state.in_flight = 0;
            for _ in 0..WINDOW_CALLS {
                state.record(
                    Duration::from_millis(1),
                    true,
                    Duration::from_millis(100 * window),
                );
            }
        }
        assert!(state.limit < 4.1, "{}", state.limit);
    }

    #[test]
    fn anonymous_clients_are_rejected_first() {
        let mut state = state();
        assert_eq!((0..30).filter(|_| state.admit(false)).count(), 16);
        assert_eq!((0..30).filter(|_| state.admit(true)).count(), 4);
        assert!(!state.admit(false));
    }
}
