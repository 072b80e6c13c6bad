//! Tests of password resets over HTTP.

use serde_json::json;

use crate::support::{PASSWORD, TestResponse, Users};

const NEW_PASSWORD: &str = "a new password of ada";

async fn reset_token(users: &Users, email: &str) -> String {
    let body = json!({"email": email});
    assert_eq!(users.post("/v1/auth/password-reset", &body).await.status, 202);
    users.handle_mail_requests().await;
    users.mail_token(email).await
}

async fn confirm(users: &Users, token: &str, password: &str) -> TestResponse {
    let body = json!({"token": token, "password": password});
    users.post("/v1/auth/password-reset/confirm", &body).await
}

#[tokio::test]
async fn a_reset_replaces_the_password_and_ends_sessions_and_api_keys() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let login = users.login("ada@souk.test", PASSWORD).await;
    let session = login.body["access_token"].as_str().unwrap();
    let key = users.api_key(session, &json!({"name": "backup"})).await;
    let other = reset_token(&users, "ada@souk.test").await;
    let token = reset_token(&users, "ada@souk.test").await;
    assert!(token.starts_with("souk_pr_"), "{token}");

    assert_eq!(
        confirm(&users, &token, "too short").await.pointers(),
        ["/password"]
    );
    let response = confirm(&users, &token, NEW_PASSWORD).await;
    assert_eq!(
        response.status, 204,
        "the refused password has not used up the token"
    );
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 401);
    assert_eq!(users.login("ada@souk.test", NEW_PASSWORD).await.status, 200);
    let refresh = json!({"refresh_token": login.body["refresh_token"]});
    assert_eq!(users.post("/v1/auth/refresh", &refresh).await.status, 401);
    let exchange = json!({"key": key});
    assert_eq!(
        users
            .post("/internal/v1/api-keys/exchange", &exchange)
            .await
            .status,
        401
    );
    for used in [&token, &other] {
        let second = confirm(&users, used, "yet another password").await;
        assert_eq!((second.status, second.pointers()), (422, vec!["/token".into()]));
    }
    assert_eq!(users.login("ada@souk.test", NEW_PASSWORD).await.status, 200);
}

#[tokio::test]
async fn concurrent_uses_of_a_token_succeed_once() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let token = reset_token(&users, "ada@souk.test").await;
    let responses = futures::future::join_all((0..4).map(|_| confirm(&users, &token, NEW_PASSWORD))).await;
    let succeeded = responses.iter().filter(|response| response.status == 204).count();
    assert_eq!(succeeded, 1);
}

#[tokio::test]
async fn expired_unknown_and_other_tokens_are_rejected() {
    let users = Users::start_without_demo().await;
    users.register("new@souk.test").await;
    let verification = users.mail_token("new@souk.test").await;
    users.verified("ada@souk.test").await;
    let token = reset_token(&users, "ada@souk.test").await;
    let seconds = "SELECT round(extract(epoch FROM expires_at - created_at))::bigint FROM mail_tokens
                   WHERE kind = 'password_reset'";
    assert_eq!(users.count(seconds).await, 30 * 60);
    users
        .sql("UPDATE mail_tokens SET expires_at = now() WHERE kind = 'password_reset'")
        .await;
    for bad in [token.as_str(), verification.as_str(), "souk_pr_x", ""] {
        let response = confirm(&users, bad, NEW_PASSWORD).await;
        assert_eq!(
            (response.status, response.pointers()),
            (422, vec!["/token".into()])
        );
    }
    let disabled = reset_token(&users, "ada@souk.test").await;
    users.sql("UPDATE users SET disabled_at = now()").await;
    assert_eq!(
        confirm(&users, &disabled, NEW_PASSWORD).await.pointers(),
        ["/token"]
    );
    let verify = json!({"token": disabled});
    assert_eq!(users.post("/v1/auth/verify", &verify).await.status, 422);
}

#[tokio::test]
async fn a_reset_verifies_an_unverified_address() {
    let users = Users::start_without_demo().await;
    // Someone else registered the address, with a password that its owner does not know.
    users.register("ada@souk.test").await;
    let verification = users.mail_token("ada@souk.test").await;
    let token = reset_token(&users, "ada@souk.test").await;
    assert_eq!(confirm(&users, &token, NEW_PASSWORD).await.status, 204);
    assert_eq!(users.login("ada@souk.test", NEW_PASSWORD).await.status, 200);
    let verify = json!({"token": verification});
    assert_eq!(users.post("/v1/auth/verify", &verify).await.status, 422);
    let events = "SELECT count(*) FROM domain_events WHERE type IN ('email_verified', 'password_changed')";
    assert_eq!(users.count(events).await, 2);
}

#[tokio::test]
async fn the_browser_of_a_reset_is_a_known_device() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    for _ in 0..6 {
        users.login("ada@souk.test", "not the password").await;
    }
    let token = reset_token(&users, "ada@souk.test").await;
    let response = confirm(&users, &token, NEW_PASSWORD).await;
    let cookie = response.headers["set-cookie"].to_str().unwrap().to_owned();
    for _ in 0..6 {
        users.login("ada@souk.test", "not the password").await;
    }
    let login = users
        .request(reqwest::Method::POST, "/v1/auth/login")
        .header("cookie", cookie.split(';').next().unwrap())
        .json(&json!({"email": "ada@souk.test", "password": NEW_PASSWORD}));
    assert_eq!(users.send(login).await.status, 200);
}

#[tokio::test]
async fn no_table_contains_a_token_in_plain_text() {
    let users = Users::start_without_demo().await;
    users.register("ada@souk.test").await;
    let verification = users.mail_token("ada@souk.test").await;
    let reset = reset_token(&users, "ada@souk.test").await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'",
    )
    .fetch_all(&users.database.pool)
    .await
    .unwrap();
    assert!(tables.iter().any(|table| table == "user_events"), "{tables:?}");
    let mut rows = 0;
    for table in tables {
        let text: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT t::text FROM \"{table}\" t")))
                .fetch_all(&users.database.pool)
                .await
                .unwrap();
        rows += text.len();
        let text = text.join("\n");
        for token in [&verification, &reset] {
            let (_, bits) = token.split_at("souk_vt_".len());
            assert!(!text.contains(bits), "{table}");
        }
    }
    assert!(rows > 5, "the tables must not be empty");
}
