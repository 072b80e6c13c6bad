//! Old data is deleted.

use serde_json::json;
use users::housekeeping;

use crate::support::Users;

#[tokio::test]
async fn deletes_only_old_data() {
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
    housekeeping::run_once(&users.database.pool, true).await.unwrap();
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
async fn unverified_accounts_expire_after_a_week() {
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
        housekeeping::run_once(&users.database.pool, true).await.unwrap();
    }
    let remaining: String = sqlx::query_scalar("SELECT string_agg(email, ' ' ORDER BY email) FROM users")
        .fetch_one(&users.database.pool)
        .await
        .unwrap();
    assert_eq!(
        remaining,
        "again@souk.test disabled@souk.test new@souk.test proved@souk.test"
    );
    assert_eq!(
        users.count("SELECT count(*) FROM mail_tokens").await,
        1,
        "expired tokens are deleted"
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
        "the last event contains no personal data"
    );
    users.register("late@souk.test").await;
    assert_eq!(
        users.count("SELECT count(*) FROM users").await,
        5,
        "the address can be registered again"
    );
}

#[tokio::test]
async fn events_are_kept_for_30_days_and_until_published() {
    let users = Users::start().await;
    for email in ["old@souk.test", "older@souk.test", "new@souk.test"] {
        users.register(email).await;
    }
    users
        .sql("UPDATE user_events SET created_at = now() - interval '31 days' WHERE id < 3")
        .await;
    users.sql("UPDATE event_cursor SET id = 1").await;
    for (publishes_events, remaining) in [(true, 5), (false, 3)] {
        housekeeping::run_once(&users.database.pool, publishes_events)
            .await
            .unwrap();
        assert_eq!(
            users.count("SELECT sum(id)::bigint FROM user_events").await,
            remaining
        );
    }
}
