//! Queries that store facts about sales and compute totals of them.

use chrono::{DateTime, Utc};
use contracts::{
    Currency, Money, OrderId, Sku,
    events::{OrderConfirmed, PaymentRefunded, ProductFacts},
};
use sqlx::PgConnection;

use super::get_sales::{BestSeller, Hour, Rejection, Step};

/// A time span that includes `from` and excludes `to`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
}

/// Records that an order has reached a step.
pub(crate) async fn record_step(
    conn: &mut PgConnection,
    order: OrderId,
    step: &str,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO sales_steps (order_id, step, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        order.0,
        step,
        at
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Records a confirmed order with its lines.
pub(crate) async fn record_sale(
    conn: &mut PgConnection,
    sale: &OrderConfirmed,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO sales_orders (order_id, at, amount, currency) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        sale.order_id.0,
        at,
        sale.total.amount,
        sale.total.currency.as_str()
    )
    .execute(&mut *conn)
    .await?;
    for (position, line) in (0..).zip(&sale.lines) {
        sqlx::query!(
            "INSERT INTO sales_lines (order_id, position, sku, name, quantity, unit_price)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            sale.order_id.0,
            position,
            line.sku.as_str(),
            line.name,
            line.quantity.get().cast_signed(),
            line.unit_price.amount
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Records why an order was rejected.
pub(crate) async fn record_rejection(
    conn: &mut PgConnection,
    order: OrderId,
    reason: &str,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO sales_rejections (order_id, reason, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        order.0,
        reason,
        at
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Adds a refund to the figures of the hour in which it was made.
pub(crate) async fn record_refund(
    conn: &mut PgConnection,
    refund: &PaymentRefunded,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO sales_refunds (refund_id, order_id, at, amount, currency) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
        refund.refund_id,
        refund.order_id.0,
        at,
        refund.amount.amount,
        refund.amount.currency.as_str()
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Stores the current name and category of a product, unless a newer event was stored before.
pub(crate) async fn upsert_product(
    conn: &mut PgConnection,
    sku: &Sku,
    product: &ProductFacts,
    sequence: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO products AS known (sku, name, category, sequence) VALUES ($1, $2, $3, $4)
         ON CONFLICT (sku) DO UPDATE SET name = excluded.name, category = excluded.category, sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence",
        sku.as_str(),
        product.name,
        product.category,
        sequence
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Parses a currency from the database. It was written from a [`Currency`], so this does not fail.
fn currency(code: &str) -> Result<Currency, sqlx::Error> {
    code.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Sales per hour and currency, for hours with a confirmed order or a refund.
pub(super) async fn hours(conn: &mut PgConnection, span: Span) -> sqlx::Result<Vec<Hour>> {
    let rows = sqlx::query!(
        r#"SELECT date_trunc('hour', at, 'UTC') AS "begins_at!", currency AS "currency!", sum(sold)::bigint AS "orders!",
               sum(amount)::bigint AS "revenue!", sum(back)::bigint AS "refunded!"
           FROM (SELECT at, currency, 1 AS sold, amount, 0 AS back FROM sales_orders WHERE at >= $1 AND at < $2
                 UNION ALL SELECT at, currency, 0, 0, amount FROM sales_refunds WHERE at >= $1 AND at < $2) AS facts
           GROUP BY 1, 2 ORDER BY 1, 2"#,
        span.from,
        span.to
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency = currency(&row.currency)?;
            Ok(Hour {
                begins_at: row.begins_at,
                orders: row.orders,
                revenue: Money::new(row.revenue, currency),
                refunded: Money::new(row.refunded, currency),
            })
        })
        .collect()
}

/// The ten products with the highest number of units sold.
pub(super) async fn best_sellers(conn: &mut PgConnection, span: Span) -> sqlx::Result<Vec<BestSeller>> {
    let rows = sqlx::query!(
        r#"SELECT l.sku, coalesce(min(p.name), min(l.name)) AS "name!", min(p.category) AS category, o.currency,
               sum(l.quantity)::bigint AS "quantity!", sum(l.quantity * l.unit_price)::bigint AS "revenue!"
           FROM sales_orders o JOIN sales_lines l USING (order_id) LEFT JOIN products p ON p.sku = l.sku
           WHERE o.at >= $1 AND o.at < $2
           GROUP BY l.sku, o.currency ORDER BY 5 DESC, 6 DESC, 1 LIMIT 10"#,
        span.from,
        span.to
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(BestSeller {
                sku: row.sku,
                name: row.name,
                category: row.category,
                quantity: row.quantity,
                revenue: Money::new(row.revenue, currency(&row.currency)?),
            })
        })
        .collect()
}

/// The number of orders placed in the span that reached each step, in the order of the steps.
pub(super) async fn funnel(conn: &mut PgConnection, span: Span) -> sqlx::Result<Vec<Step>> {
    sqlx::query_as!(
        Step,
        r#"SELECT steps.step AS "step!", count(placed.order_id) AS "orders!"
           FROM unnest(ARRAY['placed', 'reserved', 'authorized', 'captured', 'confirmed', 'shipped', 'delivered',
                   'returned', 'rejected', 'cancelled']) WITH ORDINALITY AS steps (step, position)
           LEFT JOIN (SELECT reached.order_id, reached.step FROM sales_steps AS reached JOIN sales_steps AS begun
                   ON begun.order_id = reached.order_id AND begun.step = 'placed' AND begun.at >= $1 AND begun.at < $2)
               AS placed ON placed.step = steps.step
           GROUP BY steps.step, steps.position ORDER BY steps.position"#,
        span.from,
        span.to
    )
    .fetch_all(conn)
    .await
}

/// The number of rejected orders by reason, most frequent first.
pub(super) async fn rejections(conn: &mut PgConnection, span: Span) -> sqlx::Result<Vec<Rejection>> {
    sqlx::query_as!(
        Rejection,
        r#"SELECT reason, count(*) AS "orders!" FROM sales_rejections WHERE at >= $1 AND at < $2
           GROUP BY reason ORDER BY 2 DESC, 1"#,
        span.from,
        span.to
    )
    .fetch_all(conn)
    .await
}
