//! Forgets what has no use any more. What a message or an event did stays in the payment's own state, so one that came
//! again after all would still change nothing.

use messaging::inbox;
use souk_http::idempotency;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::payment::events;

/// Tidies up every hour until `shutdown`. Events that are told on Kafka wait until they are.
pub async fn run(pool: PgPool, events_are_told: bool, shutdown: CancellationToken) {
    souk_http::hourly(shutdown, || run_once(&pool, events_are_told)).await;
}

async fn run_once(pool: &PgPool, events_are_told: bool) -> sqlx::Result<()> {
    idempotency::forget(pool).await?;
    inbox::forget(pool).await?;
    events::forget(&mut *pool.acquire().await?, events_are_told).await?;
    sqlx::query!("DELETE FROM webhook_events WHERE received_at < now() - interval '30 days'")
        .execute(pool)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn forgets_what_is_old_and_nothing_else() {
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
        let left: Vec<i64> = sqlx::query_scalar(
            "SELECT count(*) FROM webhook_events UNION ALL SELECT count(*) FROM inbox
             UNION ALL SELECT count(*) FROM idempotency_keys",
        )
        .fetch_all(&database.pool)
        .await
        .unwrap();
        assert_eq!(left, [1, 1, 1]);
        assert_eq!(events(&database.pool).await, [2, 3], "the second is not told yet");
        run_once(&database.pool, false).await.unwrap();
        assert_eq!(events(&database.pool).await, [3], "nobody is ever told");
    }

    async fn events(pool: &PgPool) -> Vec<i64> {
        sqlx::query_scalar("SELECT id FROM payment_events ORDER BY id")
            .fetch_all(pool)
            .await
            .unwrap()
    }
}
