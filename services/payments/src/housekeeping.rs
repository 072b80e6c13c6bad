//! Forgets what has no use any more. What a message or an event did stays in the payment's own state, so one that came
//! again after all would still change nothing.

use messaging::inbox;
use souk_http::idempotency;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

/// Tidies up every hour until `shutdown`.
pub async fn run(pool: PgPool, shutdown: CancellationToken) {
    souk_http::hourly(shutdown, || run_once(&pool)).await;
}

async fn run_once(pool: &PgPool) -> sqlx::Result<()> {
    idempotency::forget(pool).await?;
    inbox::forget(pool).await?;
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
                        (gen_random_uuid(), 'x', 'new', '', 200, '', now());",
        )
        .execute(&database.pool)
        .await
        .unwrap();
        run_once(&database.pool).await.unwrap();
        let left: Vec<i64> = sqlx::query_scalar(
            "SELECT count(*) FROM webhook_events UNION ALL SELECT count(*) FROM inbox
             UNION ALL SELECT count(*) FROM idempotency_keys",
        )
        .fetch_all(&database.pool)
        .await
        .unwrap();
        assert_eq!(left, [1, 1, 1]);
    }
}
