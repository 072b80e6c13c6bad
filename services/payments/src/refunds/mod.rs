//! Refunds. First the amount is reserved while the payment is locked, so that concurrent refunds never exceed what was
//! captured. Then the provider is called, with the refund's id as idempotency key. Finally its outcome is recorded.

pub(crate) mod create_refund;
pub(crate) mod store;
pub(crate) mod view;
mod worker;

use chrono::{DateTime, Utc};
use contracts::{Money, PaymentId, ReturnId, saga::PaymentRefunded, saga::queues};
use messaging::{Outgoing, outbox};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

pub use worker::RefundWorker;

use crate::{
    App,
    error::Error,
    ledger,
    payment::{Payment, Status, events, store as payments},
    provider::{ProviderError, ProviderOutcome},
};

/// Status of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// The refund is recorded; the provider has not confirmed it yet.
    Pending,
    /// The provider has refunded the amount.
    Succeeded,
    /// The provider refused the refund; the amount can be refunded again.
    Failed,
}

/// A refund, as stored in the database.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) id: Uuid,
    pub(crate) payment_id: PaymentId,
    pub(crate) amount: Money,
    pub(crate) reason: String,
    pub(crate) status: RefundStatus,
    /// Why the provider refused, if it did.
    pub(crate) failure: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
}

/// A refund to be recorded.
#[derive(Debug, Clone)]
pub(crate) struct NewRefund {
    pub(crate) id: Uuid,
    /// The return that is refunded; `None` if an operator refunds without a return.
    pub(crate) return_id: Option<ReturnId>,
    pub(crate) amount: Money,
    pub(crate) reason: String,
}

/// Why a refund could not be settled; it stays pending and is retried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettleError {
    #[error("the payment provider has not confirmed the refund")]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<sqlx::Error> for SettleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error.into())
    }
}

/// Reserves the amount on the locked payment and records a pending refund; fails if less can be refunded.
pub(crate) async fn reserve(
    conn: &mut PgConnection,
    payment: Payment,
    new: NewRefund,
) -> Result<Refund, Error> {
    if !matches!(payment.status, Status::Captured | Status::PartiallyRefunded) {
        return Err(Error::NotRefundable(payment.status.as_str()));
    }
    if new.amount.currency != payment.currency() {
        return Err(Error::OtherCurrency(payment.currency()));
    }
    if new.amount.amount <= 0 {
        return Err(Error::NotPositive);
    }
    let refundable = payment.refundable();
    if new.amount.amount > refundable.amount {
        return Err(Error::ExceedsCaptured(refundable));
    }
    let id = payment.id;
    payments::save(conn, &payment.reserve_refund(new.amount), None).await?;
    Ok(store::insert(conn, id, new).await?)
}

/// Requests a pending refund from the provider, records the outcome and returns the updated refund. Safe to repeat, even
/// concurrently.
pub(crate) async fn settle(app: &App, id: Uuid) -> Result<Refund, SettleError> {
    let (refund, payment) = {
        let mut conn = app.pool.acquire().await?;
        let refund = store::find(&mut conn, id).await?.ok_or(Error::NotFound)?;
        let filter = payments::Filter {
            id: Some(refund.payment_id),
            ..payments::Filter::default()
        };
        let payment = payments::list(&mut conn, filter, 1)
            .await?
            .pop()
            .ok_or(Error::NotFound)?;
        (refund, payment)
    };
    if refund.status != RefundStatus::Pending {
        return Ok(refund);
    }
    let key = format!("refund:{id}");
    let outcome = app.provider.refund(&payment, id, refund.amount, &key).await?;
    let mut tx = app.pool.begin().await?;
    let refund = record_outcome(&mut tx, refund.payment_id, id, outcome).await?;
    tx.commit().await?;
    app.outbox.flush_soon();
    Ok(refund)
}

/// Records the provider's outcome of a refund that is still pending: status, ledger, notice to orders and event.
pub(crate) async fn record_outcome(
    conn: &mut PgConnection,
    payment: PaymentId,
    id: Uuid,
    outcome: ProviderOutcome,
) -> Result<Refund, Error> {
    let payment = payments::lock(conn, payment).await?.ok_or(Error::NotFound)?;
    let mut refund = store::find(conn, id).await?.ok_or(Error::NotFound)?;
    if refund.status != RefundStatus::Pending {
        return Ok(refund);
    }
    match outcome {
        ProviderOutcome::Succeeded { id: provider_id } => {
            let payment = payment.refund(refund.amount)?;
            let event = events::refunded(&payment, &refund);
            payments::save(conn, &payment, Some(&event)).await?;
            store::mark_succeeded(conn, id, &provider_id).await?;
            ledger::refund(conn, payment.id, id, refund.amount).await?;
            let notice = PaymentRefunded {
                order_id: payment.order_id,
                captured: payment.captured,
                refunded: payment.refunded,
            };
            let notice = Outgoing::notice(queues::ORDERS, payment.order_id.0, &notice);
            outbox::insert(conn, &[notice]).await?;
            refund.status = RefundStatus::Succeeded;
        }
        ProviderOutcome::Refused(failure) => {
            payments::save(conn, &payment.release_refund(refund.amount), None).await?;
            store::mark_failed(conn, id, &failure.message).await?;
            refund.status = RefundStatus::Failed;
            refund.failure = Some(failure.message);
        }
    }
    Ok(refund)
}
