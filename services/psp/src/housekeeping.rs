//! Deletes recorded responses of old idempotency keys. The effects of those requests remain in the payment intents.

use souk_http::idempotency;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

/// Deletes keys older than 30 days, at once and then every hour, until `shutdown`.
pub(crate) async fn run(pool: PgPool, shutdown: CancellationToken) {
    souk_http::hourly(shutdown, || idempotency::delete_expired(&pool)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn deletes_only_old_idempotency_keys() {
        let database = testkit::postgres::database(&crate::MIGRATOR).await;
        sqlx::raw_sql(
            "INSERT INTO idempotency_keys (key, request_hash, status, body, created_at)
                 VALUES ('old', '', 200, '{}', now() - interval '31 days'), ('new', '', 200, '{}', now())",
        )
        .execute(&database.pool)
        .await
        .unwrap();
        // The first round runs before the token is checked.
        let stop = CancellationToken::new();
        stop.cancel();
        run(database.pool.clone(), stop).await;
        let remaining: Vec<String> = sqlx::query_scalar("SELECT key FROM idempotency_keys")
            .fetch_all(&database.pool)
            .await
            .unwrap();
        assert_eq!(remaining, ["new"]);
    }
}
