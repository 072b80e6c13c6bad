//! The SQL of returns.

use chrono::{DateTime, Utc};
use contracts::{Currency, Money, OrderId, OrderItem, PaymentId, UserId};
use sqlx::PgConnection;
use telemetry::TraceContext;

use crate::{
    orders::{OrderStatus, PaymentStatus, ReturnStatus},
    saga::{
        effects::Change,
        engine::{Direction, Heard},
        table::Facts,
    },
};

/// An order, locked, as far as a return needs it.
#[derive(Debug)]
pub(crate) struct Returnable {
    pub(crate) user: UserId,
    pub(crate) status: OrderStatus,
    pub(crate) payment: PaymentId,
    pub(crate) payment_method: String,
    /// Whether all of its money has been refunded.
    pub(crate) is_refunded: bool,
    /// Paid and not refunded, as far as this service knows: payments' notice of an operator's refund may still be on its
    /// way. Payments itself never refunds more than was captured.
    pub(crate) not_refunded: Money,
    pub(crate) lines: Vec<ReturnableLine>,
}

/// A line of it.
#[derive(Debug)]
pub(crate) struct ReturnableLine {
    pub(crate) sku: String,
    pub(crate) unit_price: Money,
    /// Number bought that no return covers, except for refused ones.
    pub(crate) left: u32,
}

/// The order, locked until the transaction ends, so that concurrent returns are not granted the same items, and neither is
/// a shipment.
pub(crate) async fn lock(conn: &mut PgConnection, id: OrderId) -> sqlx::Result<Option<Returnable>> {
    let Some(order) = sqlx::query!(
        "SELECT user_id, status, payment_id, payment_method, payment_status, amount, refunded, currency
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
    let line = |sku, unit_price, left| ReturnableLine {
        sku,
        unit_price: Money::new(unit_price, currency),
        left: u32::try_from(left).unwrap_or(0),
    };
    Ok(Some(Returnable {
        user: UserId(order.user_id),
        status: OrderStatus::parse(&order.status)?,
        payment: PaymentId(order.payment_id),
        payment_method: order.payment_method,
        is_refunded: order.payment_status == PaymentStatus::Refunded.as_str(),
        not_refunded: Money::new((order.amount - order.refunded).max(0), currency),
        lines: lines
            .into_iter()
            .map(|row| line(row.sku, row.unit_price, row.left))
            .collect(),
    }))
}

/// Writes a requested return and its event; returns when it was requested.
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
    sqlx::query_scalar!(
        r#"WITH asked AS (
               INSERT INTO returns (id, order_id, status, reason, amount, needs_receipt)
               VALUES ($1, $2, 'requested', $3, $4, $9)
               RETURNING *
           ), lined AS (
               INSERT INTO return_lines (return_id, sku, quantity)
               SELECT asked.id, line.sku, line.quantity
               FROM asked, unnest($5::text[], $6::int[]) AS line (sku, quantity)
           ), changed AS (
               UPDATE orders SET updated_at = now() FROM asked WHERE orders.id = asked.order_id RETURNING orders.*
           ), told AS (
               INSERT INTO order_events (order_id, type, data, traceparent, tracestate)
               SELECT asked.order_id, 'return_requested', jsonb_build_object('return_id', asked.id, 'reason', asked.reason,
                   'needs_receipt', asked.needs_receipt, 'status', changed.status,
                   'payment_status', changed.payment_status, 'fulfilment_status', changed.fulfilment_status), $7, $8
               FROM asked, changed
           )
           SELECT created_at AS "created_at!" FROM asked"#,
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

/// Whether a return of the order is neither completed nor refused. Ask only with the order's row locked.
pub(crate) async fn is_open(conn: &mut PgConnection, order: OrderId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM returns WHERE order_id = $1
               AND status IN ('requested', 'received', 'refunded')) AS "is_open!""#,
        order.0
    )
    .fetch_one(conn)
    .await
}

/// Applies what happened in the saga of a return to the return and its order; returns the type of the event to publish.
pub(crate) async fn follow(
    conn: &mut PgConnection,
    facts: &Facts,
    happened: &[(&str, Direction, Heard)],
) -> sqlx::Result<&'static str> {
    let mut event = Change::NONE.event;
    for (step, _, heard) in happened {
        match (*step, heard) {
            ("refund_payment", Heard::Done) => {
                event = if refunded(conn, facts).await? {
                    "payment_refunded"
                } else {
                    event
                };
            }
            ("refund_payment", Heard::Refused) => {
                set_status(conn, facts, ReturnStatus::Refused).await?;
                event = "return_refused";
            }
            ("complete_return", Heard::Done) => {
                event = if complete(conn, facts).await? {
                    "order_returned"
                } else {
                    "return_completed"
                };
            }
            _ => {}
        }
    }
    Ok(event)
}

/// Records the refund of a return. True if the order did not know of it: payments' notices carry the total of all refunds
/// and may arrive first, and then there is no second event.
async fn refunded(conn: &mut PgConnection, facts: &Facts) -> sqlx::Result<bool> {
    set_status(conn, facts, ReturnStatus::Refunded).await?;
    let done = sqlx::query!(
        "WITH back AS (
             SELECT coalesce(sum(amount), 0)::bigint AS amount FROM returns
             WHERE order_id = $1 AND status IN ('refunded', 'completed'))
         UPDATE orders SET refunded = back.amount, updated_at = now(),
             payment_status = CASE WHEN back.amount >= orders.amount THEN 'refunded' ELSE 'partially_refunded' END
         FROM back WHERE orders.id = $1 AND orders.refunded < back.amount",
        facts.order.0
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Completes a return; true if that makes the order `returned`, because every item has been returned.
async fn complete(conn: &mut PgConnection, facts: &Facts) -> sqlx::Result<bool> {
    // Two returns that complete together must see each other, or neither would be the last.
    sqlx::query!("SELECT id FROM orders WHERE id = $1 FOR UPDATE", facts.order.0)
        .fetch_one(&mut *conn)
        .await?;
    set_status(conn, facts, ReturnStatus::Completed).await?;
    let done = sqlx::query!(
        "UPDATE orders SET status = 'returned', updated_at = now(),
             -- What was never sent does not come back; it just will not be sent.
             fulfilment_status = CASE WHEN EXISTS (SELECT FROM shipments s WHERE s.order_id = orders.id)
                 THEN 'returned' ELSE 'cancelled' END
         WHERE id = $1 AND status <> 'returned' AND NOT EXISTS (
             SELECT FROM order_lines l WHERE l.order_id = $1 AND l.quantity > coalesce((
                 SELECT sum(i.quantity) FROM returns r JOIN return_lines i ON i.return_id = r.id
                 WHERE r.order_id = $1 AND i.sku = l.sku AND r.status = 'completed'), 0))",
        facts.order.0
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn set_status(conn: &mut PgConnection, facts: &Facts, status: ReturnStatus) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE returns SET status = $2, updated_at = now() WHERE id = $1",
        facts.saga.0,
        status.as_str()
    )
    .execute(conn)
    .await
    .map(|_| ())
}
