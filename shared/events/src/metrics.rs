//! The metrics of publishing and consuming domain events.

use telemetry::metrics::{Counter, Gauge};

static PUBLISHED: Counter = Counter::counter("events_published", "Domain events that Kafka has confirmed");
static PENDING: Gauge = Gauge::gauge(
    "events_pending",
    "Domain events in the table that are not published yet, counted up to 10,000",
);
static OLDEST: Gauge = Gauge::gauge(
    "events_oldest_age_seconds",
    "Age of the oldest domain event that is not published yet",
);
static CONSUMED: Counter = Counter::counter("events_consumed", "Domain events whose effect is committed");
static MALFORMED: Counter =
    Counter::counter("events_malformed", "Messages received that are not domain events");
static LAG: Gauge = Gauge::gauge(
    "events_consumer_lag",
    "Messages after the last committed offset, in the partitions of this process",
);

#[expect(clippy::cast_precision_loss, reason = "no count of events comes near 2^52")]
pub(crate) fn waiting(topic: &str, pending: i64, oldest_seconds: f64) {
    PENDING.of([("topic", topic)]).set(pending as f64);
    OLDEST.of([("topic", topic)]).set(oldest_seconds);
    // Export the counters from the start, so that a rate over them has a first sample.
    published(topic, 0);
}

pub(crate) fn published(topic: &str, events: u64) {
    PUBLISHED.of([("topic", topic)]).inc_by(events);
}

pub(crate) fn consumed(topic: &str, events: u64) {
    CONSUMED.of([("topic", topic)]).inc_by(events);
}

pub(crate) fn malformed(topic: &str, messages: u64) {
    MALFORMED.of([("topic", topic)]).inc_by(messages);
}

#[expect(clippy::cast_precision_loss, reason = "no lag comes near 2^52")]
pub(crate) fn lag(topic: &str, messages: i64) {
    LAG.of([("topic", topic)]).set(messages as f64);
    // Export the counters from the start, so that a rate over them has a first sample.
    consumed(topic, 0);
    malformed(topic, 0);
}
