//! The sliding window over which a breaker counts calls, divided into ten buckets.

use std::time::Duration;

/// Number of buckets of the window. The window slides by one bucket at a time.
const BUCKETS: u32 = 10;

/// Counts of calls by their outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Number of calls with an outcome.
    pub calls: u32,
    /// Number of these calls that failed.
    pub failed: u32,
    /// Number of these calls that were slow, failed or not.
    pub slow: u32,
    /// Start times of the first and of the last slow call.
    pub slow_started: Option<(Duration, Duration)>,
}

impl Tally {
    /// Adds the counts of `other`.
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.slow += other.slow;
        self.slow_started = match (self.slow_started, other.slow_started) {
            (Some((first, last)), Some((other_first, other_last))) => {
                Some((first.min(other_first), last.max(other_last)))
            }
            (one, other) => one.or(other),
        };
    }

    /// Time between the starts of the first and of the last slow call. It is about zero for a burst of calls, which all
    /// start at once and then wait for each other.
    pub(super) fn slow_span(self) -> Duration {
        self.slow_started
            .map_or(Duration::ZERO, |(first, last)| last.saturating_sub(first))
    }
}

/// Counts the calls within the window. Older calls are removed one bucket at a time.
#[derive(Debug)]
pub(super) struct Window {
    /// Length of one bucket.
    bucket: Duration,
    buckets: [Tally; BUCKETS as usize],
    /// Number of the newest bucket, counted from time 0.
    newest: u64,
}

impl Window {
    /// An empty window of this length.
    #[must_use]
    pub(super) fn new(length: Duration) -> Self {
        Self {
            bucket: length / BUCKETS,
            buckets: Default::default(),
            newest: 0,
        }
    }

    /// Adds the outcome of a call that ended at `now`.
    pub(super) fn add(&mut self, call: Tally, now: Duration) {
        self.slide(now);
        self.buckets[Self::index(self.newest)].add(call);
    }

    /// Sum of all buckets.
    pub(super) fn tally(&mut self, now: Duration) -> Tally {
        self.slide(now);
        let mut sum = Tally::default();
        self.buckets.iter().for_each(|bucket| sum.add(*bucket));
        sum
    }

    /// Clears the buckets that have left the window.
    fn slide(&mut self, now: Duration) {
        let newest = u64::try_from(now.as_nanos() / self.bucket.as_nanos()).unwrap_or(u64::MAX);
        let steps = newest.saturating_sub(self.newest);
        for step in 1..=steps.min(BUCKETS.into()) {
            self.buckets[Self::index(self.newest + step)] = Tally::default();
        }
        self.newest += steps;
    }

    fn index(number: u64) -> usize {
        usize::try_from(number % u64::from(BUCKETS)).unwrap_or(0)
    }
}
