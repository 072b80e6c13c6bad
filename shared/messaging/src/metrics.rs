//! The metrics of messages. Senders choose the kind of a message, so only kinds that a handler supports become labels.

use telemetry::metrics::{Counter, Gauge, Histogram};

use crate::PublishError;

/// Duration of processing a message, with the outcome `handled`, `retried` or `dead`.
pub(crate) static PROCESS_DURATION: Histogram = Histogram::seconds(
    "messaging_process_duration_seconds",
    "Time from the delivery of a message to its outcome",
);
/// Duration of publishing a message, until the broker's confirm.
pub(crate) static PUBLISH_DURATION: Histogram = Histogram::seconds(
    "messaging_publish_duration_seconds",
    "Time from publishing a message to its confirm",
);
pub(crate) static PUBLISHED: Counter =
    Counter::counter("messaging_published", "Published messages by queue and outcome");
/// Number of duplicates that the inbox has recognized.
pub(crate) static DUPLICATES: Counter =
    Counter::counter("inbox_duplicates", "Messages that had already been processed");
pub(crate) static OUTBOX_PENDING: Gauge =
    Gauge::gauge("outbox_pending", "Messages that are committed but not published");
pub(crate) static OUTBOX_AGE: Gauge = Gauge::gauge(
    "outbox_oldest_age_seconds",
    "Age of the oldest message that is committed but not published",
);

/// Returns the value of the label `outcome` for the result of publishing.
pub(crate) fn outcome(result: Result<(), &PublishError>) -> &'static str {
    match result {
        Ok(()) => "confirmed",
        Err(PublishError::Unroutable { .. }) => "unroutable",
        Err(PublishError::Unconfirmed(_)) => "unconfirmed",
    }
}
