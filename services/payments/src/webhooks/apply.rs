//! Applies webhook events. An event changes a payment or refund only if that is waiting for exactly this outcome.

use contracts::{OrderId, PaymentId};
use serde::Deserialize;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::receive_webhook::Event;
use crate::{
    commands::record_outcome,
    error::Error,
    payment::{Payment, Status, events, store},
    provider::{Operation, ProviderOutcome},
    refunds,
};

#[derive(Debug, Deserialize)]
struct Intent {
    id: String,
    amount: i64,
    metadata: IntentMetadata,
}

#[derive(Debug, Deserialize)]
struct IntentMetadata {
    order_id: OrderId,
}

#[derive(Debug, Deserialize)]
struct ProviderRefund {
    id: String,
    amount: i64,
    metadata: RefundMetadata,
}

#[derive(Debug, Deserialize)]
struct RefundMetadata {
    refund_id: Uuid,
}

/// Records an event whose outcome its payment does not wait for, and returns true. This is one statement that locks
/// nothing. It is enough for most events, because the response to our own call usually arrives before them.
pub(super) async fn record_without_news(db: &PgPool, event: &Event) -> sqlx::Result<bool> {
    let (Some(operation), Ok(intent)) = (operation_of(event), Intent::deserialize(&event.data.object)) else {
        return Ok(false);
    };
    let waiting: Vec<String> = waiting_for(operation)
        .iter()
        .map(|status| status.as_str().to_owned())
        .collect();
    let recorded = sqlx::query!(
        "INSERT INTO webhook_events (event_id, kind)
         SELECT $1, $2 FROM payments WHERE order_id = $3 AND status <> ALL ($4)
         ON CONFLICT DO NOTHING",
        event.id,
        event.r#type,
        intent.metadata.order_id.0,
        &waiting
    )
    .execute(db)
    .await?;
    Ok(recorded.rows_affected() == 1)
}

/// Applies an event. Events of unknown types, about unknown payments, or that change nothing are ignored.
pub(super) async fn apply(conn: &mut PgConnection, event: &Event) -> Result<(), Error> {
    if let Some(operation) = operation_of(event) {
        apply_to_payment(conn, event, operation).await
    } else if event.r#type == "refund.succeeded" {
        apply_to_refund(conn, event).await
    } else {
        Ok(())
    }
}

/// The operation on a payment intent whose success the event reports.
fn operation_of(event: &Event) -> Option<Operation> {
    match event.r#type.as_str() {
        "payment_intent.authorized" => Some(Operation::Authorize),
        "payment_intent.captured" => Some(Operation::Capture),
        "payment_intent.canceled" => Some(Operation::Void),
        _ => None,
    }
}

/// The statuses of a payment that the success of an operation changes: those that [`record_outcome`] and
/// [`apply_to_payment`] look for.
fn waiting_for(operation: Operation) -> &'static [Status] {
    match operation {
        Operation::Authorize => &[Status::Authorizing],
        Operation::Capture => &[Status::Capturing],
        // The provider voids an authorized payment by itself if it is not captured in time.
        Operation::Void => &[Status::Voiding, Status::Authorized],
    }
}

/// Applies the outcome of an operation on a payment intent.
async fn apply_to_payment(conn: &mut PgConnection, event: &Event, operation: Operation) -> Result<(), Error> {
    let Some(intent) = parse_object::<Intent>(event) else {
        return Ok(());
    };
    let order = intent.metadata.order_id;
    let Some(payment) = store::lock_by_order(conn, order).await? else {
        return Ok(());
    };
    if !matches_payment(&payment, &intent) {
        tracing::warn!(event_id = event.id, %order, "ignoring a webhook event: its payment intent or amount differs from the payment's");
        return Ok(());
    }
    if operation == Operation::Void && payment.status == Status::Authorized {
        // We did not request the void: the reservation lapsed because it was not captured in time.
        let event = events::expired(&payment);
        let payment = payment.expire()?;
        return Ok(store::save(conn, &payment, Some(&event)).await?);
    }
    let outcome = ProviderOutcome::Succeeded { id: intent.id };
    record_outcome(conn, operation, payment, outcome).await?;
    Ok(())
}

/// Whether the event's intent is that of the payment. Until the authorization's response has arrived, the payment does not
/// know its intent.
fn matches_payment(payment: &Payment, intent: &Intent) -> bool {
    let id = payment.provider_id.as_deref();
    id.is_none_or(|id| id == intent.id) && payment.amount.amount == intent.amount
}

/// Applies the confirmation of a refund.
async fn apply_to_refund(conn: &mut PgConnection, event: &Event) -> Result<(), Error> {
    let Some(confirmed) = parse_object::<ProviderRefund>(event) else {
        return Ok(());
    };
    let Some(refund) = refunds::store::find(conn, confirmed.metadata.refund_id).await? else {
        return Ok(());
    };
    if refund.amount.amount != confirmed.amount {
        tracing::warn!(event_id = event.id, refund_id = %refund.id, "ignoring a webhook event: its amount differs from the refund's");
        return Ok(());
    }
    let payment: PaymentId = refund.payment_id;
    let outcome = ProviderOutcome::Succeeded { id: confirmed.id };
    refunds::record_outcome(conn, payment, refund.id, outcome)
        .await
        .map(|_| ())
}

/// Parses the event's object. Objects that were not created by this service lack our metadata; their events are ignored.
fn parse_object<T: serde::de::DeserializeOwned>(event: &Event) -> Option<T> {
    let object: &Value = &event.data.object;
    T::deserialize(object)
        .inspect_err(|error| tracing::info!(%error, event_id = event.id, "ignoring a webhook event: its object was not created by this service"))
        .ok()
}
