//! Refreshing and ending a session.

use serde_json::json;

use crate::support::{PASSWORD, Users};

#[tokio::test]
async fn reusing_a_refresh_token_ends_the_session() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let first = users.login("ada@souk.test", PASSWORD).await.body["refresh_token"].clone();
    let response = users
        .post("/v1/auth/refresh", &json!({"refresh_token": first}))
        .await;
    assert_eq!(response.status, 200);
    let second = response.body["refresh_token"].clone();
    assert_ne!(second, first);
    assert_eq!(
        users
            .post("/v1/auth/refresh", &json!({"refresh_token": first}))
            .await
            .status,
        401
    );
    assert_eq!(
        users
            .post("/v1/auth/refresh", &json!({"refresh_token": second}))
            .await
            .status,
        401,
        "the newest token is revoked as well"
    );
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn concurrent_refreshes_succeed_once() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let body = json!({"refresh_token": users.login("ada@souk.test", PASSWORD).await.body["refresh_token"]});
    let responses = futures::future::join_all((0..8).map(|_| users.post("/v1/auth/refresh", &body))).await;
    let succeeded = responses.iter().filter(|response| response.status == 200).count();
    assert_eq!(succeeded, 1);
}

#[tokio::test]
async fn disabled_accounts_cannot_refresh_or_log_in() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let token = users.login("ada@souk.test", PASSWORD).await.body["refresh_token"].clone();
    users.sql("UPDATE users SET disabled_at = now()").await;
    assert_eq!(
        users
            .post("/v1/auth/refresh", &json!({"refresh_token": token}))
            .await
            .status,
        401
    );
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn the_cookie_is_accepted_only_from_the_same_origin() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let login = json!({"email": "ada@souk.test", "password": PASSWORD, "session": "cookie"});
    let response = users.post("/v1/auth/login", &login).await;
    assert!(
        response.body.get("refresh_token").is_none(),
        "scripts must not see the refresh token"
    );
    let cookie = response.headers["set-cookie"].to_str().unwrap().to_owned();
    for attribute in [
        "souk_refresh=souk_rt_",
        "HttpOnly",
        "Secure",
        "SameSite=Strict",
        "Path=/v1/auth",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap().to_owned();
    let refresh = |path: &'static str, origin: Option<String>| {
        let mut request = users.request(reqwest::Method::POST, path).header("cookie", &pair);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        users.send(request)
    };
    assert_eq!(refresh("/v1/auth/refresh", None).await.status, 403);
    assert_eq!(
        refresh("/v1/auth/logout", Some("https://evil.test".into()))
            .await
            .status,
        403
    );
    let response = refresh("/v1/auth/refresh", Some(users.base.clone())).await;
    assert_eq!(response.status, 200);
    assert!(
        response.headers["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with("souk_refresh=souk_rt_")
    );
    assert!(response.body.get("refresh_token").is_none());
}

#[tokio::test]
async fn logout_ends_the_session() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let body = json!({"refresh_token": users.login("ada@souk.test", PASSWORD).await.body["refresh_token"]});
    assert_eq!(users.post("/v1/auth/logout", &body).await.status, 204);
    assert_eq!(users.post("/v1/auth/refresh", &body).await.status, 401);
    assert_eq!(
        users.post("/v1/auth/logout", &body).await.status,
        204,
        "a second logout succeeds as well"
    );
}
