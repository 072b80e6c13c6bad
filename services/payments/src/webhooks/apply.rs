//! What an event changes: only a state that waits for exactly this.

use contracts::{OrderId, PaymentId};
use serde::Deserialize;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::receive::Event;
use crate::{
    commands::settle,
    error::Error,
    payment::{Payment, Status, events, store},
    provider::{Operation, Said},
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

/// Applies the event. One that is none of ours, or that tells nothing new, changes nothing.
pub(super) async fn apply(conn: &mut PgConnection, event: &Event) -> Result<(), Error> {
    match event.r#type.as_str() {
        "payment_intent.authorized" => intent(conn, event, Operation::Authorize).await,
        "payment_intent.captured" => intent(conn, event, Operation::Capture).await,
        "payment_intent.canceled" => intent(conn, event, Operation::Void).await,
        "refund.succeeded" => refund(conn, event).await,
        _ => Ok(()),
    }
}

async fn intent(conn: &mut PgConnection, event: &Event, operation: Operation) -> Result<(), Error> {
    let Some(intent) = read::<Intent>(event) else {
        return Ok(());
    };
    let order = intent.metadata.order_id;
    let Some(payment) = store::lock_by_order(conn, order).await? else {
        return Ok(());
    };
    if !is_of(&payment, &intent) {
        tracing::warn!(event_id = event.id, %order, "an event speaks of another intent than the payment's");
        return Ok(());
    }
    if operation == Operation::Void && payment.status == Status::Authorized {
        // We did not ask for it: a reservation that is not captured in time lapses.
        let event = events::expired(&payment);
        let payment = payment.expire()?;
        store::save(conn, &payment).await?;
        return Ok(events::tell(conn, payment.id, &event).await?);
    }
    settle(conn, operation, payment, Said::Yes { id: intent.id }).await?;
    Ok(())
}

/// While the answer to the authorization is out, the payment does not know its intent yet.
fn is_of(payment: &Payment, intent: &Intent) -> bool {
    let id = payment.provider_id.as_deref();
    id.is_none_or(|id| id == intent.id) && payment.amount.amount == intent.amount
}

async fn refund(conn: &mut PgConnection, event: &Event) -> Result<(), Error> {
    let Some(told) = read::<ProviderRefund>(event) else {
        return Ok(());
    };
    let Some(refund) = refunds::store::find(conn, told.metadata.refund_id).await? else {
        return Ok(());
    };
    if refund.amount.amount != told.amount {
        tracing::warn!(event_id = event.id, refund_id = %refund.id, "an event tells another amount than was refunded");
        return Ok(());
    }
    let payment: PaymentId = refund.payment_id;
    refunds::conclude(conn, payment, refund.id, Said::Yes { id: told.id })
        .await
        .map(|_| ())
}

/// What other merchants' tools made at the provider has no metadata of ours.
fn read<T: serde::de::DeserializeOwned>(event: &Event) -> Option<T> {
    let object: &Value = &event.data.object;
    T::deserialize(object)
        .inspect_err(|error| tracing::info!(%error, event_id = event.id, "an event is none of ours"))
        .ok()
}
