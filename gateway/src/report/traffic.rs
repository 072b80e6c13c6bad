//! Rates and latencies of the last minute. Recording a request costs a few relaxed atomic operations and no lock.

use std::{
    array,
    ops::AddAssign,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

/// Length of the sliding window in seconds.
pub const WINDOW_SECONDS: u64 = 60;

/// Number of slots of the window. It slides by whole slots, so it may cover up to one slot less than its length.
const SLOTS: usize = 12;
/// Length of one slot in seconds.
const SLOT_SECONDS: u64 = 5;
/// Period of a slot that has not been used.
const UNUSED: u64 = 0;
/// Period of a slot that is being cleared. It is later than every other period.
const CLEARING: u64 = u64::MAX;

/// Latencies are counted in buckets, eight for each power of two microseconds, so that a reported latency is within 7 % of
/// the actual one.
const BUCKETS: usize = 200;
/// Longer latencies are counted as this one.
const MAX_MICROS: u64 = (1 << 27) - 1;

/// The requests of one route in the last minute, shared by all cores.
#[derive(Debug)]
pub struct Traffic {
    created: Instant,
    slots: [Slot; SLOTS],
}

/// The requests of one period of [`SLOT_SECONDS`].
#[derive(Debug)]
struct Slot {
    /// Number of the period, counted from 1.
    period: AtomicU64,
    latencies: [AtomicU32; BUCKETS],
    client_errors: AtomicU32,
    server_errors: AtomicU32,
}

/// Rate, errors and latencies of the last minute.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Figures {
    /// Average number of requests per second.
    pub requests_per_second: f64,
    /// Share of the responses with a status from 400 to 499.
    #[schemars(range(min = 0, max = 1))]
    pub client_error_rate: f64,
    /// Share of the responses with a status of 500 or more.
    #[schemars(range(min = 0, max = 1))]
    pub server_error_rate: f64,
    /// Median time from the head of a request to the head of its response, in milliseconds; null without requests.
    pub p50_ms: Option<f64>,
    /// 99th percentile of that time, in milliseconds; null without requests.
    pub p99_ms: Option<f64>,
}

/// The requests of one or more routes in the last minute.
#[derive(Debug, Clone)]
pub struct Counts {
    requests_per_second: f64,
    latencies: [u64; BUCKETS],
    client_errors: u64,
    server_errors: u64,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            created: Instant::now(),
            slots: array::from_fn(|_| Slot {
                period: AtomicU64::new(UNUSED),
                latencies: array::from_fn(|_| AtomicU32::new(0)),
                client_errors: AtomicU32::new(0),
                server_errors: AtomicU32::new(0),
            }),
        }
    }
}

impl Traffic {
    /// Counts a request whose response began after this time.
    pub fn record(&self, status: StatusCode, latency: Duration) {
        self.record_at(self.created.elapsed(), status, latency);
    }

    /// Like [`Traffic::record`], at this time since the creation.
    fn record_at(&self, time: Duration, status: StatusCode, latency: Duration) {
        let period = period(time);
        let slot = &self.slots[index(period)];
        let known = slot.period.load(Ordering::Acquire);
        if known != period && !slot.reuse(known, period) {
            return;
        }
        slot.latencies[bucket(latency)].fetch_add(1, Ordering::Relaxed);
        if status.is_client_error() {
            slot.client_errors.fetch_add(1, Ordering::Relaxed);
        } else if status.is_server_error() {
            slot.server_errors.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The requests of the last minute.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts_at(self.created.elapsed())
    }

    /// Like [`Traffic::counts`], at this time since the creation.
    fn counts_at(&self, time: Duration) -> Counts {
        let last = period(time);
        let mut counts = Counts::default();
        for slot in &self.slots {
            let period = slot.period.load(Ordering::Acquire);
            if period == UNUSED || period > last || last - period >= SLOTS as u64 {
                continue;
            }
            for (sum, count) in counts.latencies.iter_mut().zip(&slot.latencies) {
                *sum += u64::from(count.load(Ordering::Relaxed));
            }
            counts.client_errors += u64::from(slot.client_errors.load(Ordering::Relaxed));
            counts.server_errors += u64::from(slot.server_errors.load(Ordering::Relaxed));
        }
        // The first slot of the window began at this time.
        let first = Duration::from_secs(last.saturating_sub(SLOTS as u64) * SLOT_SECONDS);
        let seconds = time.saturating_sub(first).as_secs_f64().max(1.0);
        counts.requests_per_second = float(counts.requests()) / seconds;
        counts
    }
}

impl Slot {
    /// Clears the slot for a new period. Returns false if the request cannot be counted, because another core is clearing the
    /// slot or the slot is already used for a later period.
    fn reuse(&self, known: u64, period: u64) -> bool {
        let is_ours = known < period
            && (self.period)
                .compare_exchange(known, CLEARING, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok();
        if is_ours {
            for count in self
                .latencies
                .iter()
                .chain([&self.client_errors, &self.server_errors])
            {
                count.store(0, Ordering::Relaxed);
            }
            self.period.store(period, Ordering::Release);
        }
        is_ours
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            requests_per_second: 0.0,
            latencies: [0; BUCKETS],
            client_errors: 0,
            server_errors: 0,
        }
    }
}

impl AddAssign<&Self> for Counts {
    fn add_assign(&mut self, other: &Self) {
        self.requests_per_second += other.requests_per_second;
        for (sum, count) in self.latencies.iter_mut().zip(other.latencies) {
            *sum += count;
        }
        self.client_errors += other.client_errors;
        self.server_errors += other.server_errors;
    }
}

impl Counts {
    fn requests(&self) -> u64 {
        self.latencies.iter().sum()
    }

    /// The figures for operators.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let share = |part: u64| float(part) / float(self.requests().max(1));
        Figures {
            requests_per_second: self.requests_per_second,
            client_error_rate: share(self.client_errors),
            server_error_rate: share(self.server_errors),
            p50_ms: self.percentile(50),
            p99_ms: self.percentile(99),
        }
    }

    /// The latency in milliseconds that this percentage of the requests do not exceed.
    fn percentile(&self, percent: u64) -> Option<f64> {
        let rank = (self.requests() * percent).div_ceil(100);
        let mut seen = 0;
        let mut buckets = self.latencies.iter().enumerate();
        let (bucket, _) = buckets.find(|(_, count)| {
            seen += **count;
            seen >= rank.max(1)
        })?;
        Some(middle(bucket) / 1_000.0)
    }
}

/// Number of the period at this time, counted from 1.
fn period(time: Duration) -> u64 {
    time.as_secs() / SLOT_SECONDS + 1
}

/// Index of the slot of a period.
fn index(period: u64) -> usize {
    usize::try_from(period).unwrap_or_default() % SLOTS
}

/// The bucket of a latency.
fn bucket(latency: Duration) -> usize {
    let micros = u64::try_from(latency.as_micros())
        .unwrap_or(MAX_MICROS)
        .min(MAX_MICROS);
    let bucket = match micros.checked_ilog2() {
        Some(power @ 3..) => u64::from(power - 2) * 8 + (micros >> (power - 3)) % 8,
        _ => micros,
    };
    usize::try_from(bucket).unwrap_or(BUCKETS - 1)
}

/// The middle of a bucket, in microseconds.
fn middle(bucket: usize) -> f64 {
    let (octave, step) = (bucket as u64 / 8, bucket as u64 % 8);
    match octave {
        0 => float(step) + 0.5,
        _ => (float(step) + 8.5) * float(1 << (octave - 1)),
    }
}

/// Counts are far below the limit of an exact conversion.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn rates_and_errors_are_those_of_the_last_minute() {
        let traffic = Traffic::default();
        for (second, status) in [(0, 200), (10, 404), (11, 500), (12, 200)] {
            traffic.record_at(at(second), StatusCode::from_u16(status).unwrap(), at(1));
        }
        let figures = traffic.counts_at(at(20)).figures();
        assert!(
            (figures.requests_per_second - 4.0 / 20.0).abs() < 1e-9,
            "{figures:?}"
        );
        assert!((figures.client_error_rate - 0.25).abs() < 1e-9, "{figures:?}");
        assert!((figures.server_error_rate - 0.25).abs() < 1e-9, "{figures:?}");
        // The first request is older than a minute now.
        let figures = traffic.counts_at(at(62)).figures();
        assert!(
            (figures.requests_per_second - 3.0 / 57.0).abs() < 1e-9,
            "{figures:?}"
        );
        let figures = traffic.counts_at(at(80)).figures();
        assert_eq!(figures, Traffic::default().counts().figures(), "all are older");
        // The slot of the first request is used again.
        traffic.record_at(at(61), StatusCode::OK, at(1));
        assert_eq!(traffic.counts_at(at(62)).requests(), 4);
        // A request that was delayed for more than a minute does not get the slot back.
        traffic.record_at(at(0), StatusCode::OK, at(1));
        assert_eq!(traffic.counts_at(at(62)).requests(), 4);
    }

    #[test]
    fn percentiles_are_within_seven_percent_and_of_all_routes_together() {
        let (fast, slow) = (Traffic::default(), Traffic::default());
        for _ in 0..98 {
            fast.record_at(at(1), StatusCode::OK, Duration::from_micros(1_500));
        }
        for _ in 0..2 {
            slow.record_at(at(1), StatusCode::OK, Duration::from_millis(700));
        }
        let mut total = fast.counts_at(at(10));
        total += &slow.counts_at(at(10));
        let figures = total.figures();
        let (p50, p99) = (figures.p50_ms.unwrap(), figures.p99_ms.unwrap());
        assert!((p50 / 1.5 - 1.0).abs() < 0.07, "{p50}");
        assert!((p99 / 700.0 - 1.0).abs() < 0.07, "{p99}");
        assert!((figures.requests_per_second - 10.0).abs() < 1e-9);
        assert_eq!(Traffic::default().counts().figures().p99_ms, None);
    }

    #[test]
    fn every_latency_has_a_bucket_whose_middle_is_near() {
        for micros in (0..40_000)
            .step_by(7)
            .chain([u64::MAX / 2, MAX_MICROS, 90_000_000])
        {
            let bucket = bucket(Duration::from_micros(micros));
            assert!(bucket < BUCKETS, "{micros}");
            let (middle, actual) = (middle(bucket), float(micros.min(MAX_MICROS)));
            assert!(
                (middle - actual).abs() <= actual * 0.0626 + 0.5,
                "{micros}: {middle}"
            );
        }
    }

    #[test]
    fn no_request_is_lost_or_counted_twice_by_concurrent_cores() {
        let traffic = Traffic::default();
        traffic.record_at(at(0), StatusCode::OK, at(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| traffic.record_at(at(1), StatusCode::OK, at(0))));
            }
        });
        assert_eq!(traffic.counts_at(at(2)).requests(), 40_001);
    }
}
