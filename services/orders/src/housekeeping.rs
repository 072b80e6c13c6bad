//! Forgets what has no use any more.

use souk_http::idempotency;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

/// Tidies up every hour until `shutdown`. Events that are told on Kafka wait until they are.
pub(crate) async fn run(pool: PgPool, events_are_told: bool, shutdown: CancellationToken) {
    souk_http::hourly(shutdown, || run_once(&pool, events_are_told)).await;
}

async fn run_once(pool: &PgPool, events_are_told: bool) -> sqlx::Result<()> {
    idempotency::forget(pool).await?;
    forget_events(pool, events_are_told).await
}

/// Forgets events after 30 days. The log is also what live views tell: that of an order to which more will happen is kept
/// whole, and of each other one its newest, whose number a view resumes at.
async fn forget_events(pool: &PgPool, are_told: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM order_events e USING orders o
         WHERE o.id = e.order_id AND o.status IN ('rejected', 'cancelled', 'delivered', 'returned')
             AND e.created_at < now() - interval '30 days'
             AND EXISTS (SELECT FROM order_events newer WHERE newer.order_id = e.order_id AND newer.id > e.id)
             AND (NOT $1 OR e.id <= (SELECT id FROM event_cursor))",
        are_told
    )
    .execute(pool)
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three events of each order; two are old, of the delivered one all.
    const OLD_AND_NEW: &str = "
        INSERT INTO orders (id, user_id, status, payment_id, payment_method, payment_status, fulfilment_status, amount,
                currency, shipping_address)
            SELECT gen_random_uuid(), gen_random_uuid(), status, gen_random_uuid(), 'x', 'captured', 'reserved', 1, 'EUR', '{}'
            FROM unnest('{cancelled, confirmed, delivered}'::text[]) AS status;
        INSERT INTO order_events (order_id, type, data, created_at)
            SELECT orders.id, 'x', '{}', now() - CASE WHEN status = 'delivered' THEN interval '31 days' ELSE age END
            FROM orders, unnest('{31 days, 31 days, 0}'::interval[]) WITH ORDINALITY AS event (age, place)
            ORDER BY place, status;
        INSERT INTO idempotency_keys (user_id, operation, key, request_sha256, status, body, created_at)
            VALUES (gen_random_uuid(), 'x', 'old', '', 200, '', now() - interval '31 days'),
                   (gen_random_uuid(), 'x', 'new', '', 200, '', now());
        UPDATE event_cursor SET id = 3";

    #[tokio::test]
    async fn forgets_what_is_old_but_not_how_an_order_stands() {
        let database = testkit::postgres::database(&crate::MIGRATOR).await;
        let pool = &database.pool;
        sqlx::raw_sql(OLD_AND_NEW).execute(pool).await.unwrap();
        run_once(pool, true).await.unwrap();
        let keys: Vec<String> = sqlx::query_scalar("SELECT key FROM idempotency_keys")
            .fetch_all(pool)
            .await
            .unwrap();
        assert_eq!(keys, ["new"]);
        // 1, 4 and 7 are of the cancelled order, 2, 5 and 8 of the confirmed one, 3, 6 and 9 of the delivered one.
        assert_eq!(
            left(pool).await,
            [2, 4, 5, 6, 7, 8, 9],
            "those above 3 are not told yet"
        );
        run_once(pool, false).await.unwrap();
        assert_eq!(left(pool).await, [2, 5, 7, 8, 9], "nobody is ever told");
    }

    async fn left(pool: &PgPool) -> Vec<i64> {
        sqlx::query_scalar("SELECT id FROM order_events ORDER BY id")
            .fetch_all(pool)
            .await
            .unwrap()
    }
}
