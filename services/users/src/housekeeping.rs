//! Forgets what has no use any more: a database of accounts should hold no more about people than it needs.

use contracts::UserId;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::account::events;

/// Tidies up every hour until `shutdown`. Events that are told on Kafka wait until they are.
pub async fn run(pool: PgPool, events_are_told: bool, shutdown: CancellationToken) {
    souk_http::hourly(shutdown, || run_once(&pool, events_are_told)).await;
}

/// Deletes sessions a week after their end, failures a day after the last, devices after 180 days without a login,
/// API keys 30 days after they expired, tokens that have expired, and events as [`events::forget`] does.
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
    sqlx::query!("DELETE FROM api_keys WHERE expires_at < now() - interval '30 days'")
        .execute(pool)
        .await?;
    sqlx::query!("DELETE FROM mail_tokens WHERE expires_at < now() - interval '1 hour'")
        .execute(pool)
        .await?;
    expire_unverified(pool).await?;
    events::forget(&mut *pool.acquire().await?, events_are_told).await
}

/// Deletes accounts whose address was not verified within a week, unless a link that verifies it still works. So an
/// address is not taken for ever by someone who does not own it.
async fn expire_unverified(pool: &PgPool) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    let expired = sqlx::query_scalar!(
        "DELETE FROM users u
         WHERE verified_at IS NULL AND disabled_at IS NULL AND created_at < now() - interval '7 days'
             AND NOT EXISTS (SELECT FROM mail_tokens t
                             WHERE t.user_id = u.id AND t.ended_at IS NULL AND t.expires_at > now())
         RETURNING id"
    )
    .fetch_all(&mut *transaction)
    .await?;
    for id in expired {
        events::tell_expired(&mut transaction, UserId(id)).await?;
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
    async fn accounts_that_nobody_verified_expire_after_a_week() {
        let users = Users::start_without_demo().await;
        users.verified("proved@souk.test").await;
        for email in [
            "late@souk.test",
            "again@souk.test",
            "disabled@souk.test",
            "new@souk.test",
        ] {
            users.register(email).await;
        }
        users
            .sql("UPDATE users SET disabled_at = now() WHERE email LIKE 'disabled%'")
            .await;
        users
            .sql("UPDATE users SET created_at = now() - interval '8 days' WHERE email NOT LIKE 'new%'")
            .await;
        users
            .sql("UPDATE mail_tokens SET created_at = now() - interval '8 days', expires_at = now() - interval '7 days'")
            .await;
        users.register("again@souk.test").await;
        for _ in 0..2 {
            super::run_once(&users.database.pool, true).await.unwrap();
        }
        let left: String = sqlx::query_scalar("SELECT string_agg(email, ' ' ORDER BY email) FROM users")
            .fetch_one(&users.database.pool)
            .await
            .unwrap();
        assert_eq!(
            left,
            "again@souk.test disabled@souk.test new@souk.test proved@souk.test"
        );
        assert_eq!(
            users.count("SELECT count(*) FROM mail_tokens").await,
            1,
            "tokens are forgotten"
        );
        let last: serde_json::Value = sqlx::query_scalar(
            "SELECT jsonb_agg(jsonb_build_array(type, data->'email', data->'name')) FROM domain_events
             WHERE aggregate_id IN (SELECT aggregate_id FROM domain_events WHERE type = 'verification_expired')",
        )
        .fetch_one(&users.database.pool)
        .await
        .unwrap();
        assert_eq!(
            last,
            json!([
                ["user_registered", "late@souk.test", "Someone"],
                ["verification_expired", "", ""],
            ]),
            "the last event names nobody"
        );
        users.register("late@souk.test").await;
        assert_eq!(
            users.count("SELECT count(*) FROM users").await,
            5,
            "the address is free again"
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
