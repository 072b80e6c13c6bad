//! SQL queries for orders. Functions take a connection; the caller owns the transaction.

use chrono::{DateTime, Utc};
use contracts::{Money, OrderId, UserId};
use sqlx::{PgConnection, types::Json};
use telemetry::TraceContext;

use super::{OrderStatus, OrderView, PaymentStatus};

/// Writes a new order, its lines and its first event. Returns the time at which it was placed, by the database's clock.
pub async fn insert(conn: &mut PgConnection, order: &OrderView) -> sqlx::Result<DateTime<Utc>> {
    let skus: Vec<&str> = order.lines.iter().map(|line| line.sku.as_str()).collect();
    let names: Vec<&str> = order.lines.iter().map(|line| line.name.as_str()).collect();
    let quantities: Vec<i32> = order
        .lines
        .iter()
        .map(|line| line.quantity.get().cast_signed())
        .collect();
    let prices: Vec<i64> = order.lines.iter().map(|line| line.unit_price.amount).collect();
    let trace = TraceContext::current();
    sqlx::query_file_scalar!(
        "src/orders/insert_order.sql",
        order.id.0,
        order.user_id.0,
        order.status.as_str(),
        order.payment_id.0,
        order.payment_method,
        order.payment_status.as_str(),
        order.fulfilment_status.as_str(),
        order.total.amount,
        order.total.currency.as_str(),
        Json(&order.shipping_address) as _,
        order.trace_id,
        &skus as _,
        &names as _,
        &quantities as _,
        &prices as _,
        trace.traceparent,
        trace.tracestate,
    )
    .fetch_one(conn)
    .await
}

/// Reads an order as the API shows it. None if it does not exist or, where an owner is given, belongs to another user.
pub async fn find(
    conn: &mut PgConnection,
    id: OrderId,
    owner: Option<UserId>,
) -> sqlx::Result<Option<OrderView>> {
    let row = sqlx::query!(
        r#"SELECT user_id AS "user_id!", document AS "document!: Json<OrderView>" FROM order_documents WHERE id = $1"#,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row
        .filter(|row| owner.is_none_or(|owner| owner.0 == row.user_id))
        .map(|row| row.document.0))
}

/// Which orders a list contains.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// Only orders of this user; orders of all users if none.
    pub owner: Option<UserId>,
    /// Only orders with this status; orders with any status if none.
    pub status: Option<OrderStatus>,
    /// Only orders placed before this one, the last of the previous page.
    pub before: Option<OrderId>,
}

/// Returns up to `limit` orders, newest first. Each combination of filters has its own statement, so that each can use an index
/// of its own instead of one generic plan.
pub async fn list(conn: &mut PgConnection, filter: Filter, limit: i64) -> sqlx::Result<Vec<OrderView>> {
    let before = filter.before.map_or(uuid::Uuid::max(), |id| id.0);
    let found: Vec<Json<OrderView>> = match (filter.owner, filter.status.map(OrderStatus::as_str)) {
        (Some(owner), None) => {
            sqlx::query_scalar!(
                r#"SELECT document AS "document!: Json<OrderView>" FROM order_documents
                   WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"#,
                owner.0,
                before,
                limit
            )
            .fetch_all(conn)
            .await?
        }
        (Some(owner), Some(status)) => {
            sqlx::query_scalar!(
                r#"SELECT document AS "document!: Json<OrderView>" FROM order_documents
                   WHERE user_id = $1 AND status = $2 AND id < $3 ORDER BY id DESC LIMIT $4"#,
                owner.0,
                status,
                before,
                limit
            )
            .fetch_all(conn)
            .await?
        }
        (None, None) => {
            sqlx::query_scalar!(
                r#"SELECT document AS "document!: Json<OrderView>" FROM order_documents
                   WHERE id < $1 ORDER BY id DESC LIMIT $2"#,
                before,
                limit
            )
            .fetch_all(conn)
            .await?
        }
        (None, Some(status)) => {
            sqlx::query_scalar!(
                r#"SELECT document AS "document!: Json<OrderView>" FROM order_documents
                   WHERE status = $1 AND id < $2 ORDER BY id DESC LIMIT $3"#,
                status,
                before,
                limit
            )
            .fetch_all(conn)
            .await?
        }
    };
    Ok(found.into_iter().map(|Json(order)| order).collect())
}

/// Locks an order until the transaction ends, and returns its owner and status. None if it does not exist.
pub async fn lock(conn: &mut PgConnection, id: OrderId) -> sqlx::Result<Option<(UserId, OrderStatus)>> {
    let row = sqlx::query!(
        "SELECT user_id, status FROM orders WHERE id = $1 FOR UPDATE",
        id.0
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok((UserId(row.user_id), OrderStatus::parse(&row.status)?)))
        .transpose()
}

/// Whether an order has been refunded in full, as far as payments has reported it. The order must exist.
pub async fn is_refunded(conn: &mut PgConnection, id: OrderId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT payment_status = 'refunded' AS "is_refunded!" FROM orders WHERE id = $1"#,
        id.0
    )
    .fetch_one(conn)
    .await
}

/// Changes the status of a locked order and of its items to `status`, and writes an event with `data`.
pub async fn fulfil(
    conn: &mut PgConnection,
    id: OrderId,
    status: OrderStatus,
    event: &str,
    data: serde_json::Value,
) -> sqlx::Result<()> {
    let trace = TraceContext::current();
    sqlx::query!(
        "WITH changed AS (
             UPDATE orders SET status = $2, fulfilment_status = $2, updated_at = now() WHERE id = $1 RETURNING *)
         INSERT INTO order_events (order_id, type, data, traceparent, tracestate)
         SELECT id, $3, $4::jsonb || jsonb_build_object('status', status, 'payment_status', payment_status,
             'fulfilment_status', fulfilment_status), $5, $6
         FROM changed",
        id.0,
        status.as_str(),
        event,
        data,
        trace.traceparent,
        trace.tracestate
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Records the total refund of an order, as payments reports it. Totals only grow, so outdated and duplicate notices change
/// nothing.
pub async fn refunded_to(conn: &mut PgConnection, id: OrderId, refunded: Money) -> sqlx::Result<()> {
    // The total of an order never changes, so no lock is needed.
    let total = sqlx::query_scalar!("SELECT total FROM orders WHERE id = $1", id.0)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(total) = total else {
        return Ok(());
    };
    let trace = TraceContext::current();
    sqlx::query!(
        "WITH changed AS (
             UPDATE orders SET refunded = $2, payment_status = $3, updated_at = now()
             WHERE id = $1 AND refunded < $2
             RETURNING *)
         INSERT INTO order_events (order_id, type, data, traceparent, tracestate)
         SELECT id, 'payment_refunded', jsonb_build_object('status', status, 'payment_status', payment_status,
             'fulfilment_status', fulfilment_status,
             'refunded', jsonb_build_object('amount', refunded, 'currency', currency)), $4, $5
         FROM changed",
        id.0,
        refunded.amount,
        PaymentStatus::after_refund(refunded.amount, total).as_str(),
        trace.traceparent,
        trace.tracestate
    )
    .execute(conn)
    .await
    .map(|_| ())
}
