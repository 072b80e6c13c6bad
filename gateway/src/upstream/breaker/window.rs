//! The calls that a breaker judges by: those of the last time, in ten buckets.

use std::time::Duration;

/// The window slides in this many steps.
const BUCKETS: u32 = 10;

/// What became of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All that are judged.
    pub calls: u32,
    /// Of those, the ones that failed.
    pub failed: u32,
    /// And the ones that took too long, failed or not.
    pub slow: u32,
    /// When the first and the last of the slow ones began.
    pub slow_begun: Option<(Duration, Duration)>,
}

impl Tally {
    /// Both.
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.slow += other.slow;
        self.slow_begun = match (self.slow_begun, other.slow_begun) {
            (Some((first, last)), Some((other_first, other_last))) => {
                Some((first.min(other_first), last.max(other_last)))
            }
            (one, other) => one.or(other),
        };
    }

    /// The time from the beginning of the first slow call to that of the last one. A burst whose calls wait for each
    /// other begins all at once.
    pub(super) fn slow_for(self) -> Duration {
        self.slow_begun
            .map_or(Duration::ZERO, |(first, last)| last.saturating_sub(first))
    }
}

/// The calls of the last time. What is older than it goes bucket by bucket.
#[derive(Debug)]
pub(super) struct Window {
    bucket: Duration,
    buckets: [Tally; BUCKETS as usize],
    /// The number of the youngest bucket, counted from time 0.
    newest: u64,
}

impl Window {
    /// An empty one.
    #[must_use]
    pub(super) fn new(length: Duration) -> Self {
        Self {
            bucket: length / BUCKETS,
            buckets: Default::default(),
            newest: 0,
        }
    }

    /// Adds what became of a call.
    pub(super) fn add(&mut self, call: Tally, now: Duration) {
        self.slide(now);
        self.buckets[Self::place(self.newest)].add(call);
    }

    /// All that is in it.
    pub(super) fn tally(&mut self, now: Duration) -> Tally {
        self.slide(now);
        let mut sum = Tally::default();
        self.buckets.iter().for_each(|bucket| sum.add(*bucket));
        sum
    }

    fn slide(&mut self, now: Duration) {
        let newest = u64::try_from(now.as_nanos() / self.bucket.as_nanos()).unwrap_or(u64::MAX);
        let steps = newest.saturating_sub(self.newest);
        for step in 1..=steps.min(BUCKETS.into()) {
            self.buckets[Self::place(self.newest + step)] = Tally::default();
        }
        self.newest += steps;
    }

    fn place(number: u64) -> usize {
        usize::try_from(number % u64::from(BUCKETS)).unwrap_or(0)
    }
}
