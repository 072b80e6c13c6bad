//! What of this service can be seen on `/metrics`. How far it is behind the log, and what it has consumed, the consumer
//! tells itself.

use telemetry::metrics::{Counter, Gauge};

static EVENTS: Counter = Counter::counter(
    "notifications_events",
    "Events that were taken in, by what became of them",
);
static PENDING: Gauge = Gauge::gauge("mails_pending", "Mails that wait to be sent");
static OLDEST: Gauge = Gauge::gauge(
    "mails_oldest_age_seconds",
    "Age of the oldest mail that waits to be sent",
);
static SENT: Counter = Counter::counter("mails_sent", "Attempts to send a mail, by kind and outcome");

/// `kind` must be one of the types that are known here, since there is a series for each.
pub(crate) fn event(kind: &str, outcome: &str) {
    EVENTS.of([("type", kind), ("outcome", outcome)]).inc();
}

#[expect(clippy::cast_precision_loss, reason = "no count of mails comes near 2^52")]
pub(crate) fn waiting(pending: i64, oldest_seconds: f64) {
    PENDING.of([]).set(pending as f64);
    OLDEST.of([]).set(oldest_seconds);
}

pub(crate) fn mail(kind: &str, outcome: &str) {
    SENT.of([("kind", kind), ("outcome", outcome)]).inc();
}
