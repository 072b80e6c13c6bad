//! What is counted of messages. Kinds come from the messages themselves, so only those that a handler knew become labels.

use telemetry::metrics::{Counter, Gauge, Histogram};

use crate::PublishError;

/// From a delivery to what became of it: `handled`, `retried`, `dead`.
pub(crate) static PROCESS_DURATION: Histogram = Histogram::seconds(
    "messaging_process_duration_seconds",
    "Time from a delivery to what became of it",
);
/// From a message to the broker's word that it has it for good.
pub(crate) static PUBLISH_DURATION: Histogram = Histogram::seconds(
    "messaging_publish_duration_seconds",
    "Time from a message to its confirmation",
);
pub(crate) static PUBLISHED: Counter =
    Counter::counter("messaging_published", "Messages by what the broker said to them");
/// Messages that came again and were answered from memory.
pub(crate) static DUPLICATES: Counter =
    Counter::counter("inbox_duplicates", "Messages that had been handled before");
pub(crate) static OUTBOX_PENDING: Gauge =
    Gauge::gauge("outbox_pending", "Messages that are committed but not published");
pub(crate) static OUTBOX_AGE: Gauge = Gauge::gauge(
    "outbox_oldest_age_seconds",
    "Age of the oldest message that is committed but not published",
);

/// The label of what the broker said.
pub(crate) fn outcome(result: Result<(), &PublishError>) -> &'static str {
    match result {
        Ok(()) => "confirmed",
        Err(PublishError::Unroutable { .. }) => "unroutable",
        Err(PublishError::Unconfirmed(_)) => "unconfirmed",
    }
}
