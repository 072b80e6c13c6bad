//! The log of what happened to payments, which is told on Kafka.

use contracts::{
    PaymentId,
    events::{
        CaptureRefused, DomainEvent as _, PaymentAuthorized, PaymentCaptured, PaymentEvent, PaymentExpired,
        PaymentFailed, PaymentRefunded, PaymentVoided,
    },
};
use sqlx::PgConnection;
use telemetry::TraceContext;

use super::{Failure, Payment};
use crate::refunds::Refund;

/// Notes an event of a locked payment, in the transaction of the change.
pub(crate) async fn tell(
    conn: &mut PgConnection,
    payment: PaymentId,
    event: &PaymentEvent,
) -> sqlx::Result<()> {
    let trace = TraceContext::current();
    sqlx::query!(
        "INSERT INTO payment_events (payment_id, type, version, data, traceparent, tracestate)
         VALUES ($1, $2, $3, $4, $5, $6)",
        payment.0,
        event.kind(),
        event.version().cast_signed(),
        event.data(),
        trace.traceparent,
        trace.tracestate
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Forgets what is older than 30 days; while it `is_told` on Kafka, only what was.
pub(crate) async fn forget(conn: &mut PgConnection, is_told: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM payment_events WHERE created_at < now() - interval '30 days'
             AND (NOT $1 OR id <= (SELECT id FROM event_cursor))",
        is_told
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

pub(crate) fn failed(payment: &Payment, why: &Failure) -> PaymentEvent {
    PaymentFailed {
        payment_id: payment.id,
        order_id: payment.order_id,
        user_id: payment.user_id,
        amount: payment.amount,
        code: why.code.clone(),
        message: why.message.clone(),
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

pub(crate) fn capture_refused(payment: &Payment, why: &Failure) -> PaymentEvent {
    CaptureRefused {
        payment_id: payment.id,
        order_id: payment.order_id,
        user_id: payment.user_id,
        amount: payment.authorized,
        code: why.code.clone(),
        message: why.message.clone(),
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
