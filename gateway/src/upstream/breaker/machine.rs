//! The rules of a circuit breaker, without a clock: the time comes in with every question, as what has passed since the
//! breaker was made. Calls are let through (closed) until too many of the last ones failed or were slow, then none is
//! (open), and after a while a few that decide how it goes on (half-open).

use std::time::Duration;

use super::window::{Tally, Window};
use crate::config;

/// However often it opens, it is open no longer, give or take a tenth.
const LONGEST: Duration = Duration::from_mins(5);

/// Whether calls are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// All.
    Closed,
    /// None.
    Open,
    /// Some, to see how they do.
    HalfOpen,
}

/// Leave to make one call, to be handed in with what became of it.
#[derive(Debug)]
pub struct Permit {
    generation: u64,
}

/// A breaker.
#[derive(Debug)]
pub struct Machine {
    rules: config::Breaker,
    phase: Phase,
    /// Of the phase. What was begun in an earlier one says nothing about this one.
    generation: u64,
    /// In a row, without having been closed in between.
    openings: u32,
    /// Makes each breaker's times differ, so that they do not all try again at once.
    seed: u64,
}

#[derive(Debug)]
enum Phase {
    Closed(Box<Window>),
    /// And what opened it.
    Open {
        until: Duration,
        judged: Tally,
    },
    /// Probes that were given out, finished or not, when the first of them was, and the results of the finished ones.
    HalfOpen {
        given: u32,
        since: Option<Duration>,
        judged: Tally,
    },
}

impl Machine {
    /// A closed one.
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

    /// Whether calls are let through.
    #[must_use]
    pub fn state(&self) -> State {
        match self.phase {
            Phase::Closed(_) => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// What it judges by: the calls of the window, those that opened it, or the probes so far.
    pub fn tally(&mut self, now: Duration) -> Tally {
        match &mut self.phase {
            Phase::Closed(window) => window.tally(now),
            Phase::Open { judged, .. } | Phase::HalfOpen { judged, .. } => *judged,
        }
    }

    /// How long it stays open.
    #[must_use]
    pub fn wait(&self, now: Duration) -> Option<Duration> {
        match self.phase {
            Phase::Open { until, .. } => Some(until.saturating_sub(now)),
            _ => None,
        }
    }

    /// Does what is due by time alone: an open breaker becomes half-open; a half-open one closes if there were too few
    /// calls to use up its probes within a window, and all that there were did well. Otherwise a route that is seldom
    /// used would stay half-open, and refuse calls as soon as a few more come than it has probes.
    pub fn tick(&mut self, now: Duration) {
        if self.wait(now) == Some(Duration::ZERO) {
            self.try_again();
        }
        if let Phase::HalfOpen {
            since: Some(since),
            judged,
            ..
        } = self.phase
            && judged.calls > 0
            && now.saturating_sub(since) >= self.rules.window.0
        {
            self.settle(judged, now);
        }
    }

    /// Goes on to half-open, if it is open, however long it was.
    pub fn try_again(&mut self) {
        if let Phase::Open { .. } = self.phase {
            self.enter(Phase::HalfOpen {
                given: 0,
                since: None,
                judged: Tally::default(),
            });
        }
    }

    /// Leave for a call, or the time after which to ask again: none if that depends on probes under way.
    pub fn admit(&mut self, now: Duration) -> Result<Permit, Duration> {
        self.tick(now);
        match &mut self.phase {
            Phase::Closed(_) => {}
            Phase::HalfOpen { given, since, .. } if *given < self.rules.probes.get() => {
                *given += 1;
                since.get_or_insert(now);
            }
            Phase::HalfOpen { .. } => return Err(Duration::ZERO),
            Phase::Open { until, .. } => return Err(until.saturating_sub(now)),
        }
        Ok(Permit {
            generation: self.generation,
        })
    }

    /// Takes in what became of a call, and how long it took.
    pub fn judge(&mut self, Permit { generation }: Permit, failed: bool, took: Duration, now: Duration) {
        if generation != self.generation {
            return;
        }
        let call = Tally {
            calls: 1,
            failed: failed.into(),
            slow: (took > self.rules.slow.over.0).into(),
            slow_begun: (took > self.rules.slow.over.0).then(|| {
                let began = now.saturating_sub(took);
                (began, began)
            }),
        };
        match &mut self.phase {
            Phase::Closed(window) => {
                window.add(call, now);
                let judged = window.tally(now);
                if judged.calls < self.rules.min_calls.get() {
                    return;
                }
                if self.rules.failures.is_exceeded(judged.failed, judged.calls) {
                    self.open(judged, now);
                } else if self.is_slow(judged) && judged.slow_for() >= self.rules.window.0 / 2 {
                    self.pause(judged, now);
                }
            }
            Phase::HalfOpen { judged, .. } => {
                judged.add(call);
                let judged = *judged;
                // One that fails has decided, whatever the others do.
                if failed {
                    self.open(judged, now);
                } else if judged.calls == self.rules.probes.get() {
                    self.settle(judged, now);
                }
            }
            // Nothing is begun in this phase.
            Phase::Open { .. } => {}
        }
    }

    /// Takes back leave for a call that came to nothing: a probe's place goes to another.
    pub fn give_back(&mut self, Permit { generation }: Permit) {
        if let Phase::HalfOpen { given, .. } = &mut self.phase
            && generation == self.generation
        {
            *given -= 1;
        }
    }

    fn is_slow(&self, judged: Tally) -> bool {
        self.rules.slow.share.is_exceeded(judged.slow, judged.calls)
    }

    /// Ends half-open when no probe failed.
    fn settle(&mut self, judged: Tally, now: Duration) {
        if self.is_slow(judged) {
            self.pause(judged, now);
        } else {
            self.openings = 0;
            self.enter(Phase::Closed(Box::new(Window::new(self.rules.window.0))));
        }
    }

    /// Opens after failures, twice as long each time in a row.
    fn open(&mut self, judged: Tally, now: Duration) {
        let time = self.rules.open.0.saturating_mul(1 << self.openings.min(16));
        let time = time.min(LONGEST.max(self.rules.open.0));
        self.openings += 1;
        self.open_for(time, judged, now);
    }

    /// Opens because calls are slow: only as long as a queue needs to drain, since the upstream does answer.
    fn pause(&mut self, judged: Tally, now: Duration) {
        self.open_for(self.rules.slow.pause.0, judged, now);
    }

    fn open_for(&mut self, time: Duration, judged: Tally, now: Duration) {
        let time = time.saturating_mul(900 + self.chance(201)) / 1000;
        let until = now.saturating_add(time);
        self.enter(Phase::Open { until, judged });
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
    }

    /// A number below `end`, another one each time it opens (`SplitMix64`).
    fn chance(&self, end: u32) -> u32 {
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

    /// So many calls that are quick, in the same moment.
    fn calls(machine: &mut Machine, count: u32, failed: bool, now: Duration) {
        for _ in 0..count {
            let permit = machine.admit(now).expect("let through");
            machine.judge(permit, failed, Duration::ZERO, now);
        }
    }

    /// Opened at this time, and open until the one that is returned.
    fn opened(machine: &mut Machine, now: Duration) -> Duration {
        calls(machine, 20, true, now);
        assert_eq!(machine.state(), State::Open);
        now + machine.wait(now).unwrap()
    }

    #[test]
    fn more_than_half_failing_opens_it_and_half_does_not() {
        let mut machine = machine();
        calls(&mut machine, 10, false, seconds(1));
        calls(&mut machine, 10, true, seconds(2));
        assert_eq!(machine.state(), State::Closed, "10 of 20 are not more than half");
        calls(&mut machine, 1, true, seconds(2));
        assert_eq!(machine.state(), State::Open);
        let judged = Tally {
            calls: 21,
            failed: 11,
            ..Tally::default()
        };
        assert_eq!(machine.tally(seconds(2)), judged, "it says why");
        let wait = machine.admit(seconds(3)).expect_err("none is let through");
        assert!((seconds(26)..=seconds(32)).contains(&wait), "{wait:?}");
    }

    #[test]
    fn too_many_slow_ones_open_it_for_a_moment() {
        let mut machine = machine();
        for number in 0..21 {
            let now = seconds(10) + Duration::from_millis(320) * number;
            let permit = machine.admit(now).unwrap();
            // A second is not more than a second.
            let took = if number < 4 {
                seconds(1)
            } else {
                Duration::from_millis(1001)
            };
            assert_eq!(machine.state(), State::Closed, "16 of 20 are not more than 80 %");
            machine.judge(permit, false, took, now);
        }
        assert_eq!(machine.state(), State::Open, "17 of 21 are");
        let wait = machine.wait(seconds(16) + Duration::from_millis(400)).unwrap();
        assert!((2700..=3300).contains(&wait.as_millis()), "{wait:?}");
    }

    /// Everybody comes at once and is served one after the other: the last ones waited long, and nothing is wrong.
    #[test]
    fn a_burst_that_is_slow_opens_nothing() {
        let mut machine = machine();
        let permits: Vec<_> = (0..48).map(|_| machine.admit(seconds(10)).unwrap()).collect();
        for (permit, number) in permits.into_iter().zip(0..) {
            let took = Duration::from_millis(1500 + 150 * number);
            machine.judge(permit, false, took, seconds(10) + took);
            assert_eq!(machine.state(), State::Closed, "after {number}");
        }
        // But if they are still slow later, that is no burst.
        for _ in 0..48 {
            let now = seconds(19);
            if let Ok(permit) = machine.admit(now) {
                machine.judge(permit, false, seconds(2), now);
            }
        }
        assert_eq!(machine.state(), State::Open);
    }

    #[test]
    fn few_probes_that_do_well_close_it_after_a_window() {
        let mut machine = machine();
        let until = opened(&mut machine, seconds(1));
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
    fn probes_that_are_given_back_settle_nothing() {
        let mut machine = machine();
        let until = opened(&mut machine, seconds(1));
        let probe = machine.admit(until).unwrap();
        machine.give_back(probe);
        machine.tick(until + seconds(100));
        assert_eq!(machine.state(), State::HalfOpen);
    }

    #[test]
    fn below_the_minimum_nothing_is_concluded() {
        let mut machine = machine();
        calls(&mut machine, 19, true, seconds(1));
        assert_eq!(machine.state(), State::Closed);
        calls(&mut machine, 1, true, seconds(1));
        assert_eq!(machine.state(), State::Open);
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten_bucket_by_bucket() {
        let mut machine = machine();
        calls(&mut machine, 10, true, seconds(0));
        calls(&mut machine, 9, true, seconds(5));
        assert_eq!(machine.tally(seconds(9)).calls, 19);
        assert_eq!(machine.tally(seconds(10)).calls, 9, "those of second 0 are gone");
        calls(&mut machine, 10, true, seconds(14));
        assert_eq!(machine.state(), State::Closed);
        assert_eq!(machine.tally(seconds(15)).calls, 10);
        assert_eq!(machine.tally(seconds(1000)).calls, 0);
        // Threads may bring times in another order than they took them.
        calls(&mut machine, 1, true, seconds(999));
        assert_eq!(machine.tally(seconds(1000)).calls, 1);
    }

    #[test]
    fn all_probes_doing_well_close_it() {
        let mut machine = machine();
        let until = opened(&mut machine, seconds(1));
        assert!(machine.admit(until * 99 / 100).is_err());
        let probes: Vec<_> = (0..5).map(|_| machine.admit(until).unwrap()).collect();
        assert_eq!(machine.state(), State::HalfOpen);
        assert_eq!(machine.admit(until).err(), Some(Duration::ZERO), "five are out");
        for probe in probes {
            assert_eq!(machine.state(), State::HalfOpen, "they are judged together");
            machine.judge(probe, false, Duration::ZERO, until);
        }
        assert_eq!(machine.state(), State::Closed);
        assert_eq!(machine.tally(until), Tally::default(), "it begins anew");
    }

    #[test]
    fn a_probe_that_fails_opens_it_for_twice_as_long_up_to_five_minutes() {
        let (mut machine, mut now) = (machine(), seconds(1));
        opened(&mut machine, now);
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
            opened(&mut machine, now) <= now + seconds(33),
            "once closed, it begins anew"
        );
    }

    #[test]
    fn slow_probes_open_it_again_for_a_moment() {
        let mut machine = machine();
        let until = opened(&mut machine, seconds(1));
        for _ in 0..5 {
            let probe = machine.admit(until).unwrap();
            machine.judge(probe, false, seconds(2), until);
        }
        assert_eq!(machine.state(), State::Open);
        assert!(machine.wait(until).unwrap() < seconds(4));
    }

    #[test]
    fn a_cancelled_probe_gives_its_place_to_another() {
        let mut machine = machine();
        let until = opened(&mut machine, seconds(1));
        let mut probes: Vec<_> = (0..5).map(|_| machine.admit(until).unwrap()).collect();
        machine.give_back(probes.pop().unwrap());
        calls(&mut machine, 1, false, until);
        assert!(machine.admit(until).is_err(), "one place, not two");
        for probe in probes {
            machine.judge(probe, false, Duration::ZERO, until);
        }
        assert_eq!(machine.state(), State::Closed);
    }

    #[test]
    fn results_of_an_earlier_phase_say_nothing() {
        let mut machine = machine();
        let [early, late, cancelled] = [(); 3].map(|()| machine.admit(seconds(1)).unwrap());
        let until = opened(&mut machine, seconds(1));
        machine.judge(early, false, Duration::ZERO, seconds(2));
        assert_eq!(machine.state(), State::Open);
        let probe = machine.admit(until).unwrap();
        machine.judge(late, true, seconds(40), until);
        machine.give_back(cancelled);
        assert_eq!(machine.state(), State::HalfOpen);
        calls(&mut machine, 4, false, until);
        assert!(machine.admit(until).is_err(), "no place was given back");
        machine.judge(probe, false, Duration::ZERO, until);
        assert_eq!(machine.state(), State::Closed);
    }

    #[test]
    fn times_differ_from_breaker_to_breaker() {
        let waits: std::collections::BTreeSet<_> = (0..20)
            .map(|seed| opened(&mut Machine::new(machine().rules, seed), seconds(1)))
            .collect();
        assert!(waits.len() > 10, "{waits:?}");
    }
}
