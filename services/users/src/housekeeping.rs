//! Deletes data that is no longer needed, because the accounts' database should hold no more personal data than necessary.

use contracts::UserId;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::account::events;

/// Deletes old data at once and then every hour, until `shutdown`. With `publishes_events`, events that have not been
/// published to Kafka yet are kept.
pub async fn run(pool: PgPool, publishes_events: bool, shutdown: CancellationToken) {
    souk_http::hourly(shutdown, || run_once(&pool, publishes_events)).await;
}

/// Deletes sessions a week after their end, failed logins a day after the last one, known devices after 180 days without a
/// login, API keys 30 days after their expiry, expired email tokens, and events as [`events::delete_expired`] does.
pub async fn run_once(pool: &PgPool, publishes_events: bool) -> sqlx::Result<()> {
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
    events::delete_expired(&mut *pool.acquire().await?, publishes_events).await
}

/// Deletes accounts whose email address was not verified within a week, unless a verification link is still valid.
/// Otherwise anyone could block an address that they do not own.
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
        events::record_expired(&mut transaction, UserId(id)).await?;
    }
    transaction.commit().await
}
