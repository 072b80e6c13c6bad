//! SQL queries for returns. Functions take a connection; the caller owns the transaction.

use chrono::{DateTime, Utc};
use contracts::{Currency, Money, OrderId, OrderItem, PaymentId, UserId};
use sqlx::PgConnection;
use telemetry::TraceContext;

use crate::{
    orders::{OrderStatus, PaymentStatus},
    saga::table::Facts,
};

/// The parts of a locked order that a return needs.
#[derive(Debug)]
pub(crate) struct Returnable {
    pub(crate) user: UserId,
    pub(crate) status: OrderStatus,
    pub(crate) payment: PaymentId,
    pub(crate) payment_method: String,
    /// Whether the order has been refunded in full.
    pub(crate) is_refunded: bool,
    /// The part of the payment that has not been refunded, as far as this service knows: a notice from payments about an
    /// operator's refund may still be in flight. Payments itself never refunds more than was captured.
    pub(crate) not_refunded: Money,
    pub(crate) lines: Vec<ReturnableLine>,
}

/// A line of an order from which items can be returned.
#[derive(Debug)]
pub(crate) struct ReturnableLine {
    pub(crate) sku: String,
    pub(crate) unit_price: Money,
    /// Number of items that can still be returned: those bought, without those in other returns that are not refused.
    pub(crate) returnable: u32,
}

/// Locks an order until the transaction ends and reads it. The lock keeps a concurrent return or shipment from claiming the
/// same items. None if the order does not exist.
pub(crate) async fn lock(conn: &mut PgConnection, id: OrderId) -> sqlx::Result<Option<Returnable>> {
    let Some(order) = sqlx::query!(
        "SELECT user_id, status, payment_id, payment_method, payment_status, total, refunded, currency
         FROM orders WHERE id = $1 FOR UPDATE",
        id.0
    )
    .fetch_optional(&mut *conn)
    .await?
    else {
        return Ok(None);
    };
    let currency: Currency = order
        .currency
        .parse()
        .map_err(|error: contracts::InvalidCurrency| sqlx::Error::Decode(error.into()))?;
    let lines = sqlx::query!(
        r#"SELECT l.sku, l.unit_price, l.quantity - coalesce((
                   SELECT sum(i.quantity) FROM returns r JOIN return_lines i ON i.return_id = r.id
                   WHERE r.order_id = l.order_id AND i.sku = l.sku AND r.status <> 'refused'), 0) AS "left!"
           FROM order_lines l WHERE l.order_id = $1 ORDER BY l.position"#,
        id.0
    )
    .fetch_all(conn)
    .await?;
    let line = |sku, unit_price, returnable: i64| ReturnableLine {
        sku,
        unit_price: Money::new(unit_price, currency),
        returnable: u32::try_from(returnable).unwrap_or(0),
    };
    Ok(Some(Returnable {
        user: UserId(order.user_id),
        status: OrderStatus::parse(&order.status)?,
        payment: PaymentId(order.payment_id),
        payment_method: order.payment_method,
        is_refunded: order.payment_status == PaymentStatus::Refunded.as_str(),
        not_refunded: Money::new((order.total - order.refunded).max(0), currency),
        lines: lines
            .into_iter()
            .map(|row| line(row.sku, row.unit_price, row.left))
            .collect(),
    }))
}

/// Writes a requested return and its event. Returns the time of the request, by the database's clock.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    facts: &Facts,
    needs_receipt: bool,
) -> sqlx::Result<DateTime<Utc>> {
    let skus: Vec<&str> = facts.items.iter().map(|item| item.sku.as_str()).collect();
    let quantities: Vec<i32> = facts
        .items
        .iter()
        .map(|item: &OrderItem| item.quantity.get().cast_signed())
        .collect();
    let trace = TraceContext::current();
    sqlx::query_file_scalar!(
        "src/returns/insert_return.sql",
        facts.saga.0,
        facts.order.0,
        facts.reason,
        facts.amount.amount,
        &skus as _,
        &quantities as _,
        trace.traceparent,
        trace.tracestate,
        needs_receipt,
    )
    .fetch_one(conn)
    .await
}

/// Whether a return of the order is neither completed nor refused. The caller must hold the lock on the order's row.
pub(crate) async fn is_open(conn: &mut PgConnection, order: OrderId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM returns WHERE order_id = $1
               AND status IN ('requested', 'received', 'refunded')) AS "is_open!""#,
        order.0
    )
    .fetch_one(conn)
    .await
}
