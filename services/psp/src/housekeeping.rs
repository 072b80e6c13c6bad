//! Forgets the answers to old keys. What a request did stays in the intent's own state.

use souk_http::idempotency;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

/// Tidies up every hour until `shutdown`.
pub async fn run(pool: PgPool, shutdown: CancellationToken) {
    souk_http::hourly(shutdown, || idempotency::forget(&pool)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn forgets_what_is_old_and_nothing_else() {
        let database = testkit::postgres::database(&crate::MIGRATOR).await;
        sqlx::raw_sql(
            "INSERT INTO idempotency_keys (key, request_hash, status, body, created_at)
                 VALUES ('old', '', 200, '{}', now() - interval '31 days'), ('new', '', 200, '{}', now())",
        )
        .execute(&database.pool)
        .await
        .unwrap();
        // It works first and then sees that it is to stop.
        let stop = CancellationToken::new();
        stop.cancel();
        run(database.pool.clone(), stop).await;
        let left: Vec<String> = sqlx::query_scalar("SELECT key FROM idempotency_keys")
            .fetch_all(&database.pool)
            .await
            .unwrap();
        assert_eq!(left, ["new"]);
    }
}
