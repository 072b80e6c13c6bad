//! SQL queries for the summary. Each is limited to recent orders or to unfinished work, so none scans every order ever placed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use contracts::{Currency, Money, Sku};
use sqlx::PgConnection;

use super::get_metrics_summary::{
    BestSeller, Funnel, OrderCounts, OutboxFigures, ReasonCount, RevenueHour, SagaFigures,
};
use crate::orders::OrderStatus;

/// Returns the start of the hour 23 hours ago. From then on, there are 24 hours, including the current one.
pub(super) async fn since(conn: &mut PgConnection) -> sqlx::Result<DateTime<Utc>> {
    sqlx::query_scalar!(r#"SELECT date_trunc('hour', now(), 'UTC') - interval '23 hours' AS "since!""#)
        .fetch_one(conn)
        .await
}

/// Counts the orders placed since then, by status.
pub(super) async fn orders(conn: &mut PgConnection, since: DateTime<Utc>) -> sqlx::Result<OrderCounts> {
    let rows = sqlx::query!(
        r#"SELECT status, count(*) AS "count!" FROM orders WHERE created_at >= $1 GROUP BY status"#,
        since
    )
    .fetch_all(conn)
    .await?;
    let mut by_status: BTreeMap<String, i64> = OrderStatus::ALL
        .iter()
        .map(|status| (status.as_str().to_owned(), 0))
        .collect();
    by_status.extend(rows.into_iter().map(|row| (row.status, row.count)));
    Ok(OrderCounts {
        total: by_status.values().sum(),
        by_status,
    })
}

/// Returns the revenue of each hour since then, in each currency, with zeros for hours without sales.
pub(super) async fn revenue(conn: &mut PgConnection, since: DateTime<Utc>) -> sqlx::Result<Vec<RevenueHour>> {
    let rows = sqlx::query!(
        r#"WITH taken AS (
               SELECT date_trunc('hour', created_at, 'UTC') AS hour, currency, total - refunded AS amount
               FROM orders
               WHERE created_at >= $1 AND payment_status IN ('captured', 'partially_refunded', 'refunded'))
           SELECT hours.hour AS "hour!", currencies.currency,
               coalesce(sum(taken.amount), 0)::bigint AS "amount!", count(taken.hour) AS "orders!"
           FROM generate_series($1, now(), interval '1 hour') AS hours (hour)
           CROSS JOIN (SELECT DISTINCT currency FROM taken) AS currencies
           LEFT JOIN taken ON taken.hour = hours.hour AND taken.currency = currencies.currency
           GROUP BY hours.hour, currencies.currency
           ORDER BY hours.hour, currencies.currency"#,
        since
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(RevenueHour {
                hour: row.hour,
                amount: money(row.amount, &row.currency)?,
                orders: row.orders,
            })
        })
        .collect()
}

/// Returns the products that sold best in the last seven days, by number of items.
pub(super) async fn best_sellers(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<BestSeller>> {
    let rows = sqlx::query!(
        r#"SELECT l.sku, o.currency, (array_agg(l.name ORDER BY o.created_at DESC))[1] AS "name!",
               sum(l.quantity) AS "quantity!", sum(l.unit_price * l.quantity)::bigint AS "revenue!"
           FROM orders o JOIN order_lines l ON l.order_id = o.id
           WHERE o.created_at >= now() - interval '7 days'
               AND o.payment_status IN ('captured', 'partially_refunded', 'refunded')
           GROUP BY l.sku, o.currency
           ORDER BY sum(l.quantity) DESC, sum(l.unit_price * l.quantity) DESC, l.sku
           LIMIT $1"#,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(BestSeller {
                sku: Sku::try_from(row.sku).map_err(|error| sqlx::Error::Decode(error.into()))?,
                name: row.name,
                quantity: row.quantity,
                revenue: money(row.revenue, &row.currency)?,
            })
        })
        .collect()
}

/// Counts how far the orders since then have come. Each of these events is written once per order.
pub(super) async fn funnel(conn: &mut PgConnection, since: DateTime<Utc>) -> sqlx::Result<Funnel> {
    sqlx::query_as!(
        Funnel,
        r#"SELECT count(*) FILTER (WHERE e.type = 'order_placed') AS "placed!",
               count(*) FILTER (WHERE e.type = 'stock_reserved') AS "reserved!",
               count(*) FILTER (WHERE e.type = 'payment_authorized') AS "authorized!",
               count(*) FILTER (WHERE e.type = 'payment_captured') AS "captured!",
               count(*) FILTER (WHERE e.type = 'order_confirmed') AS "confirmed!"
           FROM orders o JOIN order_events e ON e.order_id = o.id
           WHERE o.created_at >= $1"#,
        since
    )
    .fetch_one(conn)
    .await
}

/// Counts the orders since then that were rejected, by reason.
pub(super) async fn rejections(
    conn: &mut PgConnection,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<ReasonCount>> {
    sqlx::query_as!(
        ReasonCount,
        r#"SELECT coalesce(reason, 'unknown') AS "reason!", count(*) AS "count!" FROM orders
           WHERE created_at >= $1 AND status = 'rejected' GROUP BY 1 ORDER BY 2 DESC, 1"#,
        since
    )
    .fetch_all(conn)
    .await
}

/// Counts the sagas that have not ended.
pub(super) async fn sagas(conn: &mut PgConnection) -> sqlx::Result<SagaFigures> {
    sqlx::query_as!(
        SagaFigures,
        r#"SELECT count(*) FILTER (WHERE status = 'running') AS "running!",
               count(*) FILTER (WHERE status = 'compensating') AS "compensating!",
               count(*) FILTER (WHERE status = 'parked') AS "parked!",
               extract(epoch FROM now() - min(created_at) FILTER (WHERE status <> 'parked'))::float8
                   AS oldest_active_age_seconds
           FROM sagas WHERE status IN ('running', 'compensating', 'parked')"#
    )
    .fetch_one(conn)
    .await
}

/// Counts the messages that are not published yet.
pub(super) async fn outbox(conn: &mut PgConnection) -> sqlx::Result<OutboxFigures> {
    sqlx::query_as!(
        OutboxFigures,
        r#"SELECT count(*) AS "pending!", extract(epoch FROM now() - min(created_at))::float8 AS oldest_age_seconds
           FROM outbox"#
    )
    .fetch_one(conn)
    .await
}

/// Counts the unsettled dead letters.
pub(super) async fn dead_letters(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM dead_letters WHERE settled_at IS NULL"#)
        .fetch_one(conn)
        .await
}

/// Converts columns of the database to an amount.
fn money(amount: i64, currency: &str) -> sqlx::Result<Money> {
    let currency: Currency = currency
        .parse()
        .map_err(|error: contracts::InvalidCurrency| sqlx::Error::Decode(error.into()))?;
    Ok(Money::new(amount, currency))
}
