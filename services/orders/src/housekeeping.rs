//! Deletes expired idempotency keys and old events once an hour.

use souk_http::idempotency;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

/// Deletes expired rows every hour until `shutdown`. If events are published to Kafka, those that are not published yet are
/// kept.
pub(crate) async fn run(pool: PgPool, publishes_events: bool, shutdown: CancellationToken) {
    souk_http::hourly(shutdown, || run_once(&pool, publishes_events)).await;
}

async fn run_once(pool: &PgPool, publishes_events: bool) -> sqlx::Result<()> {
    idempotency::delete_expired(pool).await?;
    delete_old_events(pool, publishes_events).await
}

/// Deletes the events of ended orders after 30 days, except for each order's newest event: live views read the same log,
/// and resume from the number of that event. Events of orders that have not ended are kept.
async fn delete_old_events(pool: &PgPool, publishes_events: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM order_events e USING orders o
         WHERE o.id = e.order_id AND o.status IN ('rejected', 'cancelled', 'delivered', 'returned')
             AND e.created_at < now() - interval '30 days'
             AND EXISTS (SELECT FROM order_events newer WHERE newer.order_id = e.order_id AND newer.id > e.id)
             AND (NOT $1 OR e.id <= (SELECT id FROM event_cursor))",
        publishes_events
    )
    .execute(pool)
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three events of each order. Two of them are old; of the delivered order, all three are.
    const OLD_AND_NEW: &str = "
        INSERT INTO orders (id, user_id, status, payment_id, payment_method, payment_status, fulfilment_status, total,
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
    async fn deletes_old_events_but_keeps_the_newest_of_each_order() {
        let database = testkit::postgres::database(&crate::MIGRATOR).await;
        let pool = &database.pool;
        sqlx::raw_sql(OLD_AND_NEW).execute(pool).await.unwrap();
        run_once(pool, true).await.unwrap();
        let keys: Vec<String> = sqlx::query_scalar("SELECT key FROM idempotency_keys")
            .fetch_all(pool)
            .await
            .unwrap();
        assert_eq!(keys, ["new"]);
        // Events 1, 4 and 7 belong to the cancelled order, 2, 5 and 8 to the confirmed one, 3, 6 and 9 to the delivered one.
        assert_eq!(
            event_ids(pool).await,
            [2, 4, 5, 6, 7, 8, 9],
            "events above 3 are not published yet"
        );
        run_once(pool, false).await.unwrap();
        assert_eq!(event_ids(pool).await, [2, 5, 7, 8, 9], "no event is published");
    }

    async fn event_ids(pool: &PgPool) -> Vec<i64> {
        sqlx::query_scalar("SELECT id FROM order_events ORDER BY id")
            .fetch_all(pool)
            .await
            .unwrap()
    }
}
