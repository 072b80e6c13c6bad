//! A payment as clients see it.

use chrono::{DateTime, Utc};
use contracts::{Money, OrderId, PaymentId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{Failure, Payment, Status};
use crate::refunds::{self, view::RefundView};

/// A payment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentView {
    /// Its id.
    pub id: PaymentId,
    /// The order it is for; an order has one payment.
    pub order_id: OrderId,
    /// Where it stands.
    pub status: Status,
    /// What was reserved.
    pub authorized: Money,
    /// What was taken.
    pub captured: Money,
    /// What went back.
    pub refunded: Money,
    /// Every refund, oldest first.
    pub refunds: Vec<RefundView>,
    /// The provider's token of the card.
    pub payment_method: String,
    /// Why the provider last said no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// With their refunds.
pub(crate) async fn of(conn: &mut PgConnection, payments: Vec<Payment>) -> sqlx::Result<Vec<PaymentView>> {
    let ids: Vec<_> = payments.iter().map(|payment| payment.id.0).collect();
    let refunds = refunds::store::of_payments(conn, &ids).await?;
    let views = payments.into_iter().map(|payment| PaymentView {
        refunds: refunds
            .iter()
            .filter(|refund| refund.payment_id == payment.id)
            .map(RefundView::from)
            .collect(),
        id: payment.id,
        order_id: payment.order_id,
        status: payment.status,
        authorized: payment.authorized,
        captured: payment.captured,
        refunded: payment.refunded,
        payment_method: payment.method,
        failure: payment.failure,
        created_at: payment.created_at,
        updated_at: payment.updated_at,
    });
    Ok(views.collect())
}
