//! Domain events of payments: recorded in the database with each change, and published to Kafka by a relay.

use contracts::events::{
    CaptureRefused, PaymentAuthorized, PaymentCaptured, PaymentEvent, PaymentExpired, PaymentFailed,
    PaymentRefunded, PaymentVoided,
};
use sqlx::PgConnection;

use super::{Failure, Payment};
use crate::refunds::Refund;

/// Deletes events older than 30 days. With `publishes_events`, only those that have been published to Kafka.
pub(crate) async fn delete_expired(conn: &mut PgConnection, publishes_events: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM payment_events WHERE created_at < now() - interval '30 days'
             AND (NOT $1 OR id <= (SELECT id FROM event_cursor))",
        publishes_events
    )
    .execute(conn)
    .await
    .map(|_| ())
}

pub(crate) fn authorized(payment: &Payment) -> PaymentEvent {
    PaymentAuthorized {
        payment_id: payment.id,
        order_id: payment.order_id,
        user_id: payment.user_id,
        amount: payment.authorized,
    }
    .into()
}

pub(crate) fn failed(payment: &Payment, failure: &Failure) -> PaymentEvent {
    PaymentFailed {
        payment_id: payment.id,
        order_id: payment.order_id,
        user_id: payment.user_id,
        amount: payment.amount,
        code: failure.code.clone(),
        message: failure.message.clone(),
    }
    .into()
}

pub(crate) fn captured(payment: &Payment) -> PaymentEvent {
    PaymentCaptured {
        payment_id: payment.id,
        order_id: payment.order_id,
        user_id: payment.user_id,
        amount: payment.captured,
    }
    .into()
}

pub(crate) fn capture_refused(payment: &Payment, failure: &Failure) -> PaymentEvent {
    CaptureRefused {
        payment_id: payment.id,
        order_id: payment.order_id,
        user_id: payment.user_id,
        amount: payment.authorized,
        code: failure.code.clone(),
        message: failure.message.clone(),
    }
    .into()
}

pub(crate) fn voided(payment: &Payment) -> PaymentEvent {
    PaymentVoided {
        payment_id: payment.id,
        order_id: payment.order_id,
        user_id: payment.user_id,
        amount: payment.authorized,
    }
    .into()
}

pub(crate) fn expired(payment: &Payment) -> PaymentEvent {
    PaymentExpired {
        payment_id: payment.id,
        order_id: payment.order_id,
        user_id: payment.user_id,
        amount: payment.authorized,
    }
    .into()
}

pub(crate) fn refunded(payment: &Payment, refund: &Refund) -> PaymentEvent {
    PaymentRefunded {
        payment_id: payment.id,
        order_id: payment.order_id,
        user_id: payment.user_id,
        refund_id: refund.id,
        amount: refund.amount,
        reason: refund.reason.clone(),
        captured: payment.captured,
        refunded: payment.refunded,
    }
    .into()
}
