//! The SQL of orders. Functions take a connection; the caller owns the transaction.

use chrono::{DateTime, Utc};
use contracts::{Money, OrderId, UserId};
use sqlx::{PgConnection, types::Json};
use telemetry::TraceContext;

use super::{OrderStatus, OrderView};

/// Writes a new order, its lines and its first event; returns when it was placed, by the database's clock.
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
    sqlx::query_scalar!(
        r#"WITH placed AS (
               INSERT INTO orders (id, user_id, status, payment_id, payment_method, payment_status,
                   fulfilment_status, amount, currency, shipping_address, trace_id)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
               RETURNING *
           ), lined AS (
               INSERT INTO order_lines (order_id, sku, name, quantity, unit_price, position)
               SELECT placed.id, line.sku, line.name, line.quantity, line.unit_price, line.position
               FROM placed, unnest($12::text[], $13::text[], $14::int[], $15::bigint[]) WITH ORDINALITY
                   AS line (sku, name, quantity, unit_price, position)
           ), told AS (
               INSERT INTO order_events (order_id, type, data, traceparent, tracestate)
               SELECT id, 'order_placed', jsonb_build_object('status', status, 'payment_status', payment_status,
                   'fulfilment_status', fulfilment_status,
                   'total', jsonb_build_object('amount', amount, 'currency', currency)), $16, $17
               FROM placed
           )
           SELECT created_at AS "created_at!" FROM placed"#,
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

/// The order as the API shows it; only that of `owner`, if one is given.
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

/// Which orders.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// Whose; everybody's without.
    pub owner: Option<UserId>,
    /// In which status; in any without.
    pub status: Option<OrderStatus>,
    /// The last of the page before.
    pub before: Option<OrderId>,
}

/// Newest first. One statement for each combination of filters: each has its index, and none a plan for all.
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

/// Whose an order is and where it stands, locked until the transaction ends.
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

/// Whether all of an order's money has been refunded, as far as payments has reported it.
pub async fn is_refunded(conn: &mut PgConnection, id: OrderId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT payment_status = 'refunded' AS "is_refunded!" FROM orders WHERE id = $1"#,
        id.0
    )
    .fetch_one(conn)
    .await
}

/// Takes a locked order to `status`, which its goods take too.
pub async fn fulfil(
    conn: &mut PgConnection,
    id: OrderId,
    status: OrderStatus,
    event: &str,
    told: serde_json::Value,
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
        told,
        trace.traceparent,
        trace.tracestate
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Notes how much went back in all. Totals only grow, so an old notice, or one that comes twice, changes nothing.
pub async fn refunded_to(conn: &mut PgConnection, id: OrderId, refunded: Money) -> sqlx::Result<()> {
    let trace = TraceContext::current();
    sqlx::query!(
        "WITH changed AS (
             UPDATE orders SET refunded = $2, updated_at = now(),
                 payment_status = CASE WHEN $2 >= amount THEN 'refunded' ELSE 'partially_refunded' END
             WHERE id = $1 AND refunded < $2
             RETURNING *)
         INSERT INTO order_events (order_id, type, data, traceparent, tracestate)
         SELECT id, 'payment_refunded', jsonb_build_object('status', status, 'payment_status', payment_status,
             'fulfilment_status', fulfilment_status,
             'refunded', jsonb_build_object('amount', refunded, 'currency', currency)), $3, $4
         FROM changed",
        id.0,
        refunded.amount,
        trace.traceparent,
        trace.tracestate
    )
    .execute(conn)
    .await
    .map(|_| ())
}
