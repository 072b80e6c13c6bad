//! What of the events can be seen on `/metrics`.

use telemetry::metrics::{Counter, Gauge};

static PUBLISHED: Counter = Counter::counter("events_published", "Domain events that Kafka has confirmed");
static PENDING: Gauge = Gauge::gauge(
    "events_pending",
    "Domain events that wait in the table to be published, counted up to 10,000",
);
static OLDEST: Gauge = Gauge::gauge(
    "events_oldest_age_seconds",
    "Age of the oldest domain event that waits to be published",
);
static CONSUMED: Counter = Counter::counter("events_consumed", "Domain events whose effect is committed");
static MALFORMED: Counter = Counter::counter(
    "events_malformed",
    "Messages in a topic that are no domain events",
);
static LAG: Gauge = Gauge::gauge(
    "events_consumer_lag",
    "Messages between the last one whose effect is committed and the end of the topic, in the partitions of this process",
);

#[expect(clippy::cast_precision_loss, reason = "no count of events comes near 2^52")]
pub(crate) fn waiting(topic: &str, pending: i64, oldest_seconds: f64) {
    PENDING.of([("topic", topic)]).set(pending as f64);
    OLDEST.of([("topic", topic)]).set(oldest_seconds);
    // Shown from the start, so that a rate has a beginning.
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
    // Shown from the start, so that a rate has a beginning.
    consumed(topic, 0);
    malformed(topic, 0);
}
