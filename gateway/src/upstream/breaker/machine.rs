//! The state machine of a circuit breaker. It has no clock: every method gets the time since the breaker was created.
//!
//! A closed breaker lets all calls through until too many recent ones failed or were slow. It is then open and lets no
//! call through. After a while it is half-open and lets a few calls through as probes, whose outcome closes or reopens
//! it.

use std::time::Duration;

use super::window::{Tally, Window};
use crate::config;

/// Maximum time that a breaker stays open, plus or minus 10 %, unless the configured `open` is longer.
const MAX_OPEN: Duration = Duration::from_mins(5);

/// The state of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// All calls are let through.
    Closed,
    /// No call is let through.
    Open,
    /// A limited number of calls is let through as probes.
    HalfOpen,
}

/// Permission for one call, to be returned with [`Machine::record`] or [`Machine::release`].
#[derive(Debug)]
pub struct Permit {
    generation: u64,
}

/// A breaker's rules and current state.
#[derive(Debug)]
pub struct Machine {
    rules: config::Breaker,
    phase: Phase,
    /// Incremented with every change of phase. Outcomes of calls from an earlier phase are ignored.
    generation: u64,
    /// Number of times it has opened because of failures since it was last closed.
    openings: u32,
    /// Varies the open time of each breaker, so that they do not all retry at the same moment.
    seed: u64,
}

#[derive(Debug)]
enum Phase {
    Closed(Box<Window>),
    Open {
        until: Duration,
        /// The calls that opened it.
        tally: Tally,
    },
    HalfOpen {
        /// Number of probes that were let through, finished or not.
        admitted: u32,
        /// When the first probe was let through.
        since: Option<Duration>,
        /// Outcomes of the probes that have finished, true for a failure.
        tally: Tally,
    },
}

impl Machine {
    /// A closed breaker. `seed` varies its open times.
    #[must_use]
    pub fn new(rules: config::Breaker, seed: u64) -> Self {
        Self {
            phase: Phase::Closed(Box::new(Window::new(rules.window.0))),
            rules,
            generation: 0,
            openings: 0,
            seed,
        }
    }

    /// The current state; call [`Machine::tick`] first if time has passed.
    #[must_use]
    pub fn state(&self) -> State {
        match self.phase {
            Phase::Closed(_) => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// The calls that decide about the state: those in the window, those that opened it, or the finished probes.
    pub fn tally(&mut self, now: Duration) -> Tally {
        match &mut self.phase {
            Phase::Closed(window) => window.tally(now),
            Phase::Open { tally, .. } | Phase::HalfOpen { tally, .. } => *tally,
        }
    }

    /// Remaining time of an open breaker, which may be zero; `None` if it is not open.
    #[must_use]
    pub fn wait(&self, now: Duration) -> Option<Duration> {
        match self.phase {
            Phase::Open { until, .. } => Some(until.saturating_sub(now)),
            _ => None,
        }
    }

    /// Makes the transitions that depend on time alone. An open breaker becomes half-open when its time is over. A
    /// half-open one closes a window after its first probe if at least one probe has finished and none failed.
    /// Otherwise a rarely used route would stay half-open, and would reject calls once there are more of them than
    /// probes.
    pub fn tick(&mut self, now: Duration) {
        if self.wait(now) == Some(Duration::ZERO) {
            self.half_open();
        }
        if let Phase::HalfOpen {
            since: Some(since),
            tally,
            ..
        } = self.phase
            && tally.calls > 0
            && now.saturating_sub(since) >= self.rules.window.0
        {
            self.finish_probing(tally, now);
        }
    }

    /// Makes an open breaker half-open, regardless of its remaining time.
    pub fn half_open(&mut self) {
        if let Phase::Open { .. } = self.phase {
            self.enter(Phase::HalfOpen {
                admitted: 0,
                since: None,
                tally: Tally::default(),
            });
        }
    }

    /// A permit for one call, or the time until the next probes. The time is zero if it depends on probes in flight.
    pub fn admit(&mut self, now: Duration) -> Result<Permit, Duration> {
        self.tick(now);
        match &mut self.phase {
            Phase::Closed(_) => {}
            Phase::HalfOpen { admitted, since, .. } if *admitted < self.rules.probes.get() => {
                *admitted += 1;
                since.get_or_insert(now);
            }
            Phase::HalfOpen { .. } => return Err(Duration::ZERO),
            Phase::Open { until, .. } => return Err(until.saturating_sub(now)),
        }
        Ok(Permit {
            generation: self.generation,
        })
    }

    /// Records the outcome of a call and how long it took, and changes the state if necessary.
    pub fn record(&mut self, Permit { generation }: Permit, failed: bool, took: Duration, now: Duration) {
        if generation != self.generation {
            return;
        }
        let call = Tally {
            calls: 1,
            failed: failed.into(),
            slow: (took > self.rules.slow.over.0).into(),
            slow_started: (took > self.rules.slow.over.0).then(|| {
                let began = now.saturating_sub(took);
                (began, began)
            }),
        };
        match &mut self.phase {
            Phase::Closed(window) => {
                window.add(call, now);
                let tally = window.tally(now);
                if tally.calls < self.rules.min_calls.get() {
                    return;
                }
                if self.rules.failures.is_exceeded(tally.failed, tally.calls) {
                    self.open(tally, now);
                } else if self.is_slow(tally) && tally.slow_span() >= self.rules.window.0 / 2 {
                    self.pause(tally, now);
                }
            }
            Phase::HalfOpen { tally, .. } => {
                tally.add(call);
                let tally = *tally;
                // One failed probe is enough, whatever the outcome of the others.
                if failed {
                    self.open(tally, now);
                } else if tally.calls == self.rules.probes.get() {
                    self.finish_probing(tally, now);
                }
            }
            // No call starts in this phase.
            Phase::Open { .. } => {}
        }
    }

    /// Returns the permit of a call without an outcome. If it was a probe, another call may take its place.
    pub fn release(&mut self, Permit { generation }: Permit) {
        if let Phase::HalfOpen { admitted, .. } = &mut self.phase
            && generation == self.generation
        {
            *admitted -= 1;
        }
    }

    fn is_slow(&self, tally: Tally) -> bool {
        self.rules.slow.share.is_exceeded(tally.slow, tally.calls)
    }

    /// Leaves the half-open phase when no probe has failed: closes, or opens for a pause if the probes were slow.
    fn finish_probing(&mut self, tally: Tally, now: Duration) {
        if self.is_slow(tally) {
            self.pause(tally, now);
        } else {
            self.openings = 0;
            self.enter(Phase::Closed(Box::new(Window::new(self.rules.window.0))));
        }
    }

    /// Opens because of failures, for twice as long each time in a row.
    fn open(&mut self, tally: Tally, now: Duration) {
        let time = self.rules.open.0.saturating_mul(1 << self.openings.min(16));
        let time = time.min(MAX_OPEN.max(self.rules.open.0));
        self.openings += 1;
        self.open_for(time, tally, now);
    }

    /// Opens because calls are slow. The pause is short, so that a queue can drain, because the upstream does respond.
    fn pause(&mut self, tally: Tally, now: Duration) {
        self.open_for(self.rules.slow.pause.0, tally, now);
    }

    fn open_for(&mut self, time: Duration, tally: Tally, now: Duration) {
        let time = time.saturating_mul(900 + self.random_below(201)) / 1000;
        let until = now.saturating_add(time);
        self.enter(Phase::Open { until, tally });
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
    }

    /// A pseudorandom number below `end`, a different one in each generation (`SplitMix64`).
    fn random_below(&self, end: u32) -> u32 {
        let mut bits = self
            .seed
            .wrapping_add(self.generation.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((bits ^ (bits >> 31)) % u64::from(end)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn machine() -> Machine {
        let rules =
            "{window: 10s, min_calls: 20, failures: 50%, slow: {over: 1s, share: 80%}, open: 30s, probes: 5}";
        Machine::new(serde_saphyr::from_str(rules).unwrap(), 7)
    }

    /// Makes `count` fast calls at the same time, all with this outcome.
    fn calls(machine: &mut Machine, count: u32, failed: bool, now: Duration) {
        for _ in 0..count {
            let permit = machine.admit(now).expect("the call is let through");
            machine.record(permit, failed, Duration::ZERO, now);
        }
    }

    /// Opens the breaker at `now`. Returns the time until which it is open.
    fn open_by_failures(machine: &mut Machine, now: Duration) -> Duration {
        calls(machine, 20, true, now);
        assert_eq!(machine.state(), State::Open);
        now + machine.wait(now).unwrap()
    }

    #[test]
    fn opens_if_more_than_half_of_the_calls_fail() {
        let mut machine = machine();
        calls(&mut machine, 10, false, seconds(1));
        calls(&mut machine, 10, true, seconds(2));
        assert_eq!(machine.state(), State::Closed, "10 of 20 are not more than half");
        calls(&mut machine, 1, true, seconds(2));
        assert_eq!(machine.state(), State::Open);
        let tally = Tally {
            calls: 21,
            failed: 11,
            ..Tally::default()
        };
        assert_eq!(machine.tally(seconds(2)), tally, "the tally shows what opened it");
        let wait = machine.admit(seconds(3)).expect_err("no call is let through");
        assert!((seconds(26)..=seconds(32)).contains(&wait), "{wait:?}");
    }

    #[test]
    fn too_many_slow_calls_open_it_for_a_short_pause() {
        let mut machine = machine();
        for number in 0..21 {
            let now = seconds(10) + Duration::from_millis(320) * number;
            let permit = machine.admit(now).unwrap();
            // A call of exactly one second is not slow yet.
            let took = if number < 4 {
                seconds(1)
            } else {
                Duration::from_millis(1001)
            };
            assert_eq!(
                machine.state(),
                State::Closed,
                "at most 16 of 20 calls are slow, which is not more than 80 %"
            );
            machine.record(permit, false, took, now);
        }
        assert_eq!(
            machine.state(),
            State::Open,
            "17 of 21 calls are slow, which is more than 80 %"
        );
        let wait = machine.wait(seconds(16) + Duration::from_millis(400)).unwrap();
        assert!((2700..=3300).contains(&wait.as_millis()), "{wait:?}");
    }

    /// All calls start at once and are served one after the other. The last ones are slow, although nothing is wrong.
    #[test]
    fn a_slow_burst_does_not_open_it() {
        let mut machine = machine();
        let permits: Vec<_> = (0..48).map(|_| machine.admit(seconds(10)).unwrap()).collect();
        for (permit, number) in permits.into_iter().zip(0..) {
            let took = Duration::from_millis(1500 + 150 * number);
            machine.record(permit, false, took, seconds(10) + took);
            assert_eq!(machine.state(), State::Closed, "after call {number}");
        }
        // Calls that are still slow later are not part of the burst.
        for _ in 0..48 {
            let now = seconds(19);
            if let Ok(permit) = machine.admit(now) {
                machine.record(permit, false, seconds(2), now);
            }
        }
        assert_eq!(machine.state(), State::Open);
    }

    #[test]
    fn fewer_successful_probes_close_it_after_a_window() {
        let mut machine = machine();
        let until = open_by_failures(&mut machine, seconds(1));
        machine.tick(until + seconds(100));
        calls(&mut machine, 1, false, until + seconds(100));
        machine.tick(until + seconds(109));
        assert_eq!(
            machine.state(),
            State::HalfOpen,
            "the window counts from the first probe"
        );
        machine.tick(until + seconds(110));
        assert_eq!(machine.state(), State::Closed);
    }

    #[test]
    fn released_probes_do_not_close_it() {
        let mut machine = machine();
        let until = open_by_failures(&mut machine, seconds(1));
        let probe = machine.admit(until).unwrap();
        machine.release(probe);
        machine.tick(until + seconds(100));
        assert_eq!(machine.state(), State::HalfOpen);
    }

    #[test]
    fn stays_closed_below_the_minimum_number_of_calls() {
        let mut machine = machine();
        calls(&mut machine, 19, true, seconds(1));
        assert_eq!(machine.state(), State::Closed);
        calls(&mut machine, 1, true, seconds(1));
        assert_eq!(machine.state(), State::Open);
    }

    #[test]
    fn calls_older_than_the_window_are_removed_by_bucket() {
        let mut machine = machine();
        calls(&mut machine, 10, true, seconds(0));
        calls(&mut machine, 9, true, seconds(5));
        assert_eq!(machine.tally(seconds(9)).calls, 19);
        assert_eq!(
            machine.tally(seconds(10)).calls,
            9,
            "the calls of second 0 have left the window"
        );
        calls(&mut machine, 10, true, seconds(14));
        assert_eq!(machine.state(), State::Closed);
        assert_eq!(machine.tally(seconds(15)).calls, 10);
        assert_eq!(machine.tally(seconds(1000)).calls, 0);
        // Threads may report times in another order than they read the clock.
        calls(&mut machine, 1, true, seconds(999));
        assert_eq!(machine.tally(seconds(1000)).calls, 1);
    }

    #[test]
    fn closes_if_all_probes_succeed() {
        let mut machine = machine();
        let until = open_by_failures(&mut machine, seconds(1));
        assert!(machine.admit(until * 99 / 100).is_err());
        let probes: Vec<_> = (0..5).map(|_| machine.admit(until).unwrap()).collect();
        assert_eq!(machine.state(), State::HalfOpen);
        assert_eq!(
            machine.admit(until).err(),
            Some(Duration::ZERO),
            "all five probes are in flight"
        );
        for probe in probes {
            assert_eq!(
                machine.state(),
                State::HalfOpen,
                "it closes only after the last probe"
            );
            machine.record(probe, false, Duration::ZERO, until);
        }
        assert_eq!(machine.state(), State::Closed);
        assert_eq!(
            machine.tally(until),
            Tally::default(),
            "the window is empty after closing"
        );
    }

    #[test]
    fn each_failed_probe_doubles_the_open_time_up_to_five_minutes() {
        let (mut machine, mut now) = (machine(), seconds(1));
        open_by_failures(&mut machine, now);
        for expected in [30, 60, 120, 240, 300, 300] {
            let wait = machine.wait(now).unwrap();
            let range = seconds(expected) * 9 / 10..=seconds(expected) * 11 / 10;
            assert!(range.contains(&wait), "{wait:?}, not {range:?}");
            now += wait;
            calls(&mut machine, 4, false, now);
            calls(&mut machine, 1, true, now);
            assert_eq!(machine.state(), State::Open);
        }
        now += machine.wait(now).unwrap();
        calls(&mut machine, 5, false, now);
        assert!(
            open_by_failures(&mut machine, now) <= now + seconds(33),
            "closing resets the open time"
        );
    }

    #[test]
    fn slow_probes_open_it_for_a_short_pause() {
        let mut machine = machine();
        let until = open_by_failures(&mut machine, seconds(1));
        for _ in 0..5 {
            let probe = machine.admit(until).unwrap();
            machine.record(probe, false, seconds(2), until);
        }
        assert_eq!(machine.state(), State::Open);
        assert!(machine.wait(until).unwrap() < seconds(4));
    }

    #[test]
    fn a_released_probe_can_be_used_by_another_call() {
        let mut machine = machine();
        let until = open_by_failures(&mut machine, seconds(1));
        let mut probes: Vec<_> = (0..5).map(|_| machine.admit(until).unwrap()).collect();
        machine.release(probes.pop().unwrap());
        calls(&mut machine, 1, false, until);
        assert!(machine.admit(until).is_err(), "only one probe was released");
        for probe in probes {
            machine.record(probe, false, Duration::ZERO, until);
        }
        assert_eq!(machine.state(), State::Closed);
    }

    #[test]
    fn outcomes_of_an_earlier_phase_are_ignored() {
        let mut machine = machine();
        let [early, late, cancelled] = [(); 3].map(|()| machine.admit(seconds(1)).unwrap());
        let until = open_by_failures(&mut machine, seconds(1));
        machine.record(early, false, Duration::ZERO, seconds(2));
        assert_eq!(machine.state(), State::Open);
        let probe = machine.admit(until).unwrap();
        machine.record(late, true, seconds(40), until);
        machine.release(cancelled);
        assert_eq!(machine.state(), State::HalfOpen);
        calls(&mut machine, 4, false, until);
        assert!(
            machine.admit(until).is_err(),
            "releasing a permit of an earlier phase frees no probe"
        );
        machine.record(probe, false, Duration::ZERO, until);
        assert_eq!(machine.state(), State::Closed);
    }

    #[test]
    fn open_times_differ_between_breakers() {
        let waits: std::collections::BTreeSet<_> = (0..20)
            .map(|seed| open_by_failures(&mut Machine::new(machine().rules, seed), seconds(1)))
            .collect();
        assert!(waits.len() > 10, "{waits:?}");
    }
}
