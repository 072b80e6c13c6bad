//! Refunds. The amount is first promised in a row, under the payment's lock, so that refunds that race never promise
//! more than was captured; then the provider is asked under the row's id; then the promise is kept or released.

pub(crate) mod create;
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
    provider::{ProviderError, Said},
};

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Promised; the provider has not confirmed it yet.
    Pending,
    /// The money went back.
    Succeeded,
    /// The provider refused.
    Failed,
}

/// A refund, as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) id: Uuid,
    pub(crate) payment_id: PaymentId,
    pub(crate) amount: Money,
    pub(crate) reason: String,
    pub(crate) status: RefundStatus,
    pub(crate) failure: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
}

/// A refund to be promised.
#[derive(Debug, Clone)]
pub(crate) struct NewRefund {
    pub(crate) id: Uuid,
    /// For which return, if for one.
    pub(crate) return_id: Option<ReturnId>,
    pub(crate) amount: Money,
    pub(crate) reason: String,
}

/// Why a refund is not settled yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettleError {
    #[error("the provider has not confirmed")]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<sqlx::Error> for SettleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error.into())
    }
}

/// Promises the amount, if the locked payment has that much left.
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
    let left = payment.refundable();
    if new.amount.amount > left.amount {
        return Err(Error::ExceedsCaptured(left));
    }
    let id = payment.id;
    payments::save(conn, &payment.reserve_refund(new.amount)).await?;
    Ok(store::insert(conn, id, new).await?)
}

/// Asks the provider for a pending refund and writes its answer; the refund as it then stands. Safe to do twice, also at
/// the same time.
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
    let said = app.provider.refund(&payment, id, refund.amount, &key).await?;
    let mut tx = app.pool.begin().await?;
    let refund = conclude(&mut tx, refund.payment_id, id, said).await?;
    tx.commit().await?;
    app.outbox.flush_soon();
    Ok(refund)
}

/// Writes what the provider said about a refund, if it is still pending: state, books and notice together.
pub(crate) async fn conclude(
    conn: &mut PgConnection,
    payment: PaymentId,
    id: Uuid,
    said: Said,
) -> Result<Refund, Error> {
    let payment = payments::lock(conn, payment).await?.ok_or(Error::NotFound)?;
    let mut refund = store::find(conn, id).await?.ok_or(Error::NotFound)?;
    if refund.status != RefundStatus::Pending {
        return Ok(refund);
    }
    match said {
        Said::Yes { id: provider_id } => {
            let payment = payment.refund(refund.amount)?;
            payments::save(conn, &payment).await?;
            store::succeed(conn, id, &provider_id).await?;
            ledger::refund(conn, payment.id, id, refund.amount).await?;
            let notice = PaymentRefunded {
                order_id: payment.order_id,
                captured: payment.captured,
                refunded: payment.refunded,
            };
            let notice = Outgoing::notice(queues::ORDERS, payment.order_id.0, &notice);
            outbox::insert(conn, &[notice]).await?;
            events::tell(conn, payment.id, &events::refunded(&payment, &refund)).await?;
            refund.status = RefundStatus::Succeeded;
        }
        Said::No(why) => {
            payments::save(conn, &payment.release_refund(refund.amount)).await?;
            store::fail(conn, id, &why.message).await?;
            refund.status = RefundStatus::Failed;
            refund.failure = Some(why.message);
        }
    }
    Ok(refund)
}
