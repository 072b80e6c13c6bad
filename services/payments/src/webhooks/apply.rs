//! Applies webhook events. An event changes a payment or refund only if that is waiting for exactly this outcome.

use contracts::{OrderId, PaymentId};
use serde::Deserialize;
use serde_json::Value;
use sqlx::PgConnection;
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

/// Applies an event. Events of unknown types, about unknown payments or without news are ignored.
pub(super) async fn apply(conn: &mut PgConnection, event: &Event) -> Result<(), Error> {
    match event.r#type.as_str() {
        "payment_intent.authorized" => apply_to_payment(conn, event, Operation::Authorize).await,
        "payment_intent.captured" => apply_to_payment(conn, event, Operation::Capture).await,
        "payment_intent.canceled" => apply_to_payment(conn, event, Operation::Void).await,
        "refund.succeeded" => apply_to_refund(conn, event).await,
        _ => Ok(()),
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
        store::save(conn, &payment).await?;
        return Ok(events::record(conn, payment.id, &event).await?);
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
