//! The latency of an instance as a peak-sensitive moving average (peak EWMA, as in Finagle and Linkerd): it rises at once
//! with a slow response, and falls slowly.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Time after which a sample counts for a third. An instance that was slow gets no request for about this long, unless
/// the others become slow as well.
const DECAY: Duration = Duration::from_secs(10);

/// A moving average of latencies. All times are those since the instance was found. Updates of several cores may overwrite
/// each other, which loses a sample.
#[derive(Debug, Default)]
pub(super) struct Latency {
    /// The average in seconds, as the bits of an `f64`; 0 before the first sample.
    average: AtomicU64,
    /// When `average` was calculated, in nanoseconds.
    at: AtomicU64,
}

impl Latency {
    /// The average in seconds. It decreases with time, so that an instance that was slow is tried again. `None` before
    /// the first sample.
    pub(super) fn seconds(&self, now: Duration) -> Option<f64> {
        let average = f64::from_bits(self.average.load(Relaxed));
        (average > 0.0).then(|| average * self.remainder(now))
    }

    /// Adds the latency of one response.
    pub(super) fn record(&self, took: Duration, now: Duration) {
        let sample = took.as_secs_f64().max(f64::MIN_POSITIVE);
        let average = f64::from_bits(self.average.load(Relaxed));
        let average = if sample >= average {
            sample
        } else {
            let weight = self.remainder(now);
            average * weight + sample * (1.0 - weight)
        };
        self.average.store(average.to_bits(), Relaxed);
        self.at
            .store(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    /// The part of the average that remains after the time since it was calculated.
    fn remainder(&self, now: Duration) -> f64 {
        let since = now.saturating_sub(Duration::from_nanos(self.at.load(Relaxed)));
        (-since.as_secs_f64() / DECAY.as_secs_f64()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_at_once_and_falls_slowly() {
        let (latency, second) = (Latency::default(), Duration::from_secs(1));
        assert_eq!(latency.seconds(second), None);
        latency.record(Duration::from_millis(10), second);
        latency.record(Duration::from_millis(500), second);
        assert_eq!(latency.seconds(second), Some(0.5));
        latency.record(Duration::from_millis(10), second * 2);
        let after = latency.seconds(second * 2).unwrap();
        assert!((0.4..0.5).contains(&after), "{after}");
        let later = latency.seconds(second * 62).unwrap();
        assert!(later < 0.01, "it also falls without samples: {later}");
    }
}
