//! The representation of a payment in the API.

use chrono::{DateTime, Utc};
use contracts::{Money, OrderId, PaymentId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{Failure, Payment, Status};
use crate::refunds::{self, view::RefundView};

/// A payment of an order, with its refunds.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentView {
    /// Id of the payment.
    pub id: PaymentId,
    /// Id of the order that is paid; an order has exactly one payment.
    pub order_id: OrderId,
    /// Current status of the payment.
    pub status: Status,
    /// Amount reserved on the card; zero until the authorization succeeds.
    pub authorized: Money,
    /// Amount charged to the card; zero until the capture succeeds.
    pub captured: Money,
    /// Sum of all refunds that have succeeded.
    pub refunded: Money,
    /// All refunds of the payment, oldest first.
    pub refunds: Vec<RefundView>,
    /// The provider's token of the card.
    #[schema(example = "pm_card_ok")]
    pub payment_method: String,
    /// The last refusal of the provider; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Time at which the payment was requested.
    pub created_at: DateTime<Utc>,
    /// Time of the last change.
    pub updated_at: DateTime<Utc>,
}

/// Loads the refunds of `payments` and returns both in their API representation.
pub(crate) async fn with_refunds(
    conn: &mut PgConnection,
    payments: Vec<Payment>,
) -> sqlx::Result<Vec<PaymentView>> {
    let ids: Vec<_> = payments.iter().map(|payment| payment.id.0).collect();
    let refunds = refunds::store::list_by_payments(conn, &ids).await?;
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
