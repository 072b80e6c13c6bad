//! The service's own metrics. The consumer of domain events exposes its lag and throughput itself.

use telemetry::metrics::{Counter, Gauge};

static EVENTS: Counter = Counter::counter(
    "notifications_events",
    "Consumed domain events by type and outcome",
);
static PENDING: Gauge = Gauge::gauge("mails_pending", "Mails that are not sent yet");
static OLDEST: Gauge = Gauge::gauge(
    "mails_oldest_age_seconds",
    "Age of the oldest mail that is not sent yet",
);
static SENT: Counter = Counter::counter("mails_sent", "Attempts to send a mail, by kind and outcome");

/// Counts a consumed event. `kind` must be a known event type, because each value creates a time series.
pub(crate) fn count_event(kind: &str, outcome: &str) {
    EVENTS.of([("type", kind), ("outcome", outcome)]).inc();
}

#[expect(clippy::cast_precision_loss, reason = "the number of mails is far below 2^52")]
pub(crate) fn set_pending(pending: i64, oldest_seconds: f64) {
    PENDING.of([]).set(pending as f64);
    OLDEST.of([]).set(oldest_seconds);
}

/// Counts an attempt to send a mail.
pub(crate) fn count_mail(kind: &str, outcome: &str) {
    SENT.of([("kind", kind), ("outcome", outcome)]).inc();
}
