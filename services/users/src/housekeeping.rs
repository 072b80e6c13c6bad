//! Forgets what has no use any more: a database of accounts should hold no more about people than it needs.

use contracts::UserId;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::account::events::{self, Happened};

/// Tidies up every hour until `shutdown`. Events that are told on Kafka wait until they are.
pub async fn run(pool: PgPool, events_are_told: bool, shutdown: CancellationToken) {
    souk_http::hourly(shutdown, || run_once(&pool, events_are_told)).await;
}

/// Deletes sessions a week after their end, failures a day after the last, devices after 180 days without a login,
/// tokens that have expired, and events as [`events::forget`] does.
async fn run_once(pool: &PgPool, events_are_told: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM sessions
         WHERE expires_at < now() - interval '7 days' OR revoked_at < now() - interval '7 days'"
    )
    .execute(pool)
    .await?;
    sqlx::query!(
        "DELETE FROM refresh_tokens WHERE used_at IS NOT NULL AND expires_at < now() - interval '7 days'"
    )
    .execute(pool)
    .await?;
    sqlx::query!("DELETE FROM login_failures WHERE last_at < now() - interval '1 day'")
        .execute(pool)
        .await?;
    sqlx::query!("DELETE FROM login_sources WHERE last_at < now() - interval '1 day'")
        .execute(pool)
        .await?;
    sqlx::query!("DELETE FROM known_devices WHERE last_used_at < now() - interval '180 days'")
        .execute(pool)
        .await?;
    expire_verifications(pool).await?;
    events::forget(&mut *pool.acquire().await?, events_are_told).await
}

/// Where nobody came with the token this is told, since the event of the registration has it, and a topic that keeps
/// the last event of each account would keep the token for ever.
async fn expire_verifications(pool: &PgPool) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    let unproved = sqlx::query_scalar!(
        "WITH expired AS (DELETE FROM verification_tokens WHERE expires_at < now() RETURNING user_id)
         SELECT id FROM users WHERE verified_at IS NULL AND id IN (SELECT user_id FROM expired) FOR UPDATE"
    )
    .fetch_all(&mut *transaction)
    .await?;
    for id in unproved {
        events::tell(&mut transaction, UserId(id), Happened::VerificationExpired).await?;
    }
    transaction.commit().await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Users;

    #[tokio::test]
    async fn forgets_what_is_over_and_keeps_what_is_not() {
        let users = Users::start().await;
        for email in ["old@souk.test", "new@souk.test"] {
            users.account(email).await;
            users.login(email, "not the password").await;
        }
        users
            .sql(
                "UPDATE sessions SET revoked_at = now() - interval '8 days'
                  WHERE user_id = (SELECT id FROM users WHERE email = 'old@souk.test')",
            )
            .await;
        users
            .sql("INSERT INTO known_devices (sha256, user_id, last_used_at)
                  SELECT sha256(email::bytea), id, now() - interval '181 days' * (email LIKE 'old%')::int FROM users")
            .await;
        for sql in [
            "UPDATE login_failures SET last_at = now() - interval '2 days' WHERE ctid = (SELECT min(ctid) FROM login_failures)",
            "UPDATE login_sources SET last_at = now() - interval '2 days' WHERE ctid = (SELECT min(ctid) FROM login_sources)",
        ] {
            users.sql(sql).await;
        }
        super::run_once(&users.database.pool, true).await.unwrap();
        for table in [
            "SELECT count(*) FROM sessions",
            "SELECT count(*) FROM refresh_tokens",
            "SELECT count(*) FROM login_failures",
            "SELECT count(*) FROM login_sources",
            "SELECT count(*) FROM known_devices",
        ] {
            assert_eq!(users.count(table).await, 1, "{table}");
        }
        assert_eq!(users.count("SELECT count(*) FROM users").await, 2);
    }

    #[tokio::test]
    async fn a_token_that_nobody_used_is_not_in_the_last_event_of_its_account() {
        let users = Users::start_without_demo().await;
        for email in ["proved@souk.test", "late@souk.test", "new@souk.test"] {
            users.register(email).await;
        }
        let token = users.verification_token("proved@souk.test").await;
        let verified = users.post("/v1/auth/verify", &json!({"token": token})).await;
        assert_eq!(verified.status, 204);
        users
            .sql(
                "UPDATE verification_tokens SET expires_at = now() - interval '1 second'
                 WHERE user_id = (SELECT id FROM users WHERE email = 'late@souk.test')",
            )
            .await;
        for _ in 0..2 {
            super::run_once(&users.database.pool, true).await.unwrap();
        }
        let told = "SELECT string_agg(type || CASE WHEN data ? 'verification_token' THEN ' with' ELSE '' END, ', ' ORDER BY id)
             FROM domain_events GROUP BY aggregate_id ORDER BY min(id)";
        let told: Vec<String> = sqlx::query_scalar(told)
            .fetch_all(&users.database.pool)
            .await
            .unwrap();
        assert_eq!(
            told,
            [
                "user_registered with, email_verified",
                "user_registered with, verification_expired",
                "user_registered with",
            ]
        );
    }

    #[tokio::test]
    async fn events_are_kept_for_30_days_and_until_they_are_told() {
        let users = Users::start().await;
        for email in ["old@souk.test", "older@souk.test", "new@souk.test"] {
            users.register(email).await;
        }
        users
            .sql("UPDATE user_events SET created_at = now() - interval '31 days' WHERE id < 3")
            .await;
        users.sql("UPDATE event_cursor SET id = 1").await;
        for (are_told, left) in [(true, 5), (false, 3)] {
            super::run_once(&users.database.pool, are_told).await.unwrap();
            assert_eq!(users.count("SELECT sum(id)::bigint FROM user_events").await, left);
        }
    }
}
