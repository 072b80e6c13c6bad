//! Password resets over HTTP.

use serde_json::json;

use crate::testing::{Answer, PASSWORD, Users};

const NEW: &str = "a new password of ada";

async fn reset_token(users: &Users, email: &str) -> String {
    let body = json!({"email": email});
    assert_eq!(users.post("/v1/auth/password-reset", &body).await.status, 202);
    users.handle_mail_requests().await;
    users.mail_token(email).await
}

async fn confirm(users: &Users, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "password": password});
    users.post("/v1/auth/password-reset/confirm", &body).await
}

#[tokio::test]
async fn replaces_the_password_once_and_ends_sessions_and_keys() {
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
    let answer = confirm(&users, &token, NEW).await;
    assert_eq!(answer.status, 204, "a refused password uses nothing up");
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 401);
    assert_eq!(users.login("ada@souk.test", NEW).await.status, 200);
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
        let again = confirm(&users, used, "yet another password").await;
        assert_eq!((again.status, again.pointers()), (422, vec!["/token".into()]));
    }
    assert_eq!(users.login("ada@souk.test", NEW).await.status, 200);
}

#[tokio::test]
async fn of_two_that_use_one_link_one_wins() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let token = reset_token(&users, "ada@souk.test").await;
    let answers = futures::future::join_all((0..4).map(|_| confirm(&users, &token, NEW))).await;
    let won = answers.iter().filter(|answer| answer.status == 204).count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn links_that_are_too_old_unknown_or_for_something_else_are_refused() {
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
        let answer = confirm(&users, bad, NEW).await;
        assert_eq!((answer.status, answer.pointers()), (422, vec!["/token".into()]));
    }
    let disabled = reset_token(&users, "ada@souk.test").await;
    users.sql("UPDATE users SET disabled_at = now()").await;
    assert_eq!(confirm(&users, &disabled, NEW).await.pointers(), ["/token"]);
    let verify = json!({"token": disabled});
    assert_eq!(users.post("/v1/auth/verify", &verify).await.status, 422);
}

#[tokio::test]
async fn an_address_that_was_not_verified_is_by_its_owners_reset() {
    let users = Users::start_without_demo().await;
    // Someone else registered it, with a password that its owner does not know.
    users.register("ada@souk.test").await;
    let theirs = users.mail_token("ada@souk.test").await;
    let token = reset_token(&users, "ada@souk.test").await;
    assert_eq!(confirm(&users, &token, NEW).await.status, 204);
    assert_eq!(users.login("ada@souk.test", NEW).await.status, 200);
    let verify = json!({"token": theirs});
    assert_eq!(users.post("/v1/auth/verify", &verify).await.status, 422);
    let told = "SELECT count(*) FROM domain_events WHERE type IN ('email_verified', 'password_changed')";
    assert_eq!(users.count(told).await, 2);
}

#[tokio::test]
async fn its_browser_gets_in_whoever_guesses_meanwhile() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    for _ in 0..6 {
        users.login("ada@souk.test", "not the password").await;
    }
    let token = reset_token(&users, "ada@souk.test").await;
    let answer = confirm(&users, &token, NEW).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    for _ in 0..6 {
        users.login("ada@souk.test", "not the password").await;
    }
    let login = users
        .request(reqwest::Method::POST, "/v1/auth/login")
        .header("cookie", cookie.split(';').next().unwrap())
        .json(&json!({"email": "ada@souk.test", "password": NEW}));
    assert_eq!(users.send(login).await.status, 200);
}

#[tokio::test]
async fn no_token_stands_in_clear_in_any_table() {
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
    assert!(rows > 5, "the tables have been read");
}
