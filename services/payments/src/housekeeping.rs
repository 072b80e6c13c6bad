//! Deletes records that are no longer needed: idempotency keys, processed messages, webhooks and published events. Their
//! effects remain in the payments, so even a very late redelivery changes nothing.

use messaging::inbox;
use souk_http::idempotency;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::payment::events;

/// Deletes old records at once and then every hour, until `shutdown`. With `publishes_events`, events that have not been
/// published to Kafka yet are kept.
pub async fn run(pool: PgPool, publishes_events: bool, shutdown: CancellationToken) {
    souk_http::hourly(shutdown, || run_once(&pool, publishes_events)).await;
}

async fn run_once(pool: &PgPool, publishes_events: bool) -> sqlx::Result<()> {
    idempotency::delete_expired(pool).await?;
    inbox::delete_expired(pool).await?;
    events::delete_expired(&mut *pool.acquire().await?, publishes_events).await?;
    sqlx::query!("DELETE FROM webhook_events WHERE received_at < now() - interval '30 days'")
        .execute(pool)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn deletes_only_old_records() {
        let database = testkit::postgres::database(&crate::MIGRATOR).await;
        sqlx::raw_sql(
            "INSERT INTO webhook_events (event_id, kind, received_at)
                 VALUES ('old', 'x', now() - interval '31 days'), ('new', 'x', now());
             INSERT INTO inbox (message_id, body_sha256, received_at)
                 VALUES (gen_random_uuid(), '', now() - interval '31 days'), (gen_random_uuid(), '', now());
             INSERT INTO idempotency_keys (user_id, operation, key, request_sha256, status, body, created_at)
                 VALUES (gen_random_uuid(), 'x', 'old', '', 200, '', now() - interval '31 days'),
                        (gen_random_uuid(), 'x', 'new', '', 200, '', now());
             INSERT INTO payments (id, order_id, user_id, status, amount, currency, payment_method)
                 VALUES ('00000000-0000-0000-0000-000000000001', gen_random_uuid(), gen_random_uuid(), 'created', 1, 'EUR', 'x');
             INSERT INTO payment_events (payment_id, type, version, data, created_at)
                 SELECT '00000000-0000-0000-0000-000000000001', 'x', 1, '{}', now() - age
                 FROM unnest('{31 days, 31 days, 0}'::interval[]) AS age;
             UPDATE event_cursor SET id = 1",
        )
        .execute(&database.pool)
        .await
        .unwrap();
        run_once(&database.pool, true).await.unwrap();
        let remaining: Vec<i64> = sqlx::query_scalar(
            "SELECT count(*) FROM webhook_events UNION ALL SELECT count(*) FROM inbox
             UNION ALL SELECT count(*) FROM idempotency_keys",
        )
        .fetch_all(&database.pool)
        .await
        .unwrap();
        assert_eq!(remaining, [1, 1, 1]);
        assert_eq!(
            event_ids(&database.pool).await,
            [2, 3],
            "event 2 is old but not published yet"
        );
        run_once(&database.pool, false).await.unwrap();
        assert_eq!(
            event_ids(&database.pool).await,
            [3],
            "nothing is published to Kafka"
        );
    }

    async fn event_ids(pool: &PgPool) -> Vec<i64> {
        sqlx::query_scalar("SELECT id FROM payment_events ORDER BY id")
            .fetch_all(pool)
            .await
            .unwrap()
    }
}
