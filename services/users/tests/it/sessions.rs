//! `/v1/users/me/sessions`: the caller's sessions.

use serde_json::json;

use crate::support::{PASSWORD, Users};

#[tokio::test]
async fn lists_the_callers_active_sessions_newest_first() {
    let users = Users::start().await;
    users.account("eve@souk.test").await;
    users.account("ada@souk.test").await;
    users.sql("UPDATE sessions SET revoked_at = now()").await;
    users.login("ada@souk.test", PASSWORD).await;
    users.sql("UPDATE refresh_tokens SET expires_at = now()").await;
    let first = users.login("ada@souk.test", PASSWORD).await;
    let second = users.login("ada@souk.test", PASSWORD).await;
    let refreshed = users
        .post(
            "/v1/auth/refresh",
            &json!({"refresh_token": first.body["refresh_token"]}),
        )
        .await;
    let token = refreshed.body["access_token"].as_str().unwrap();
    let newest = users.get("/v1/users/me/sessions?limit=1", token).await;
    let cursor = newest.body["next_cursor"].as_str().unwrap().to_owned();
    let oldest = users
        .get(&format!("/v1/users/me/sessions?cursor={cursor}"), token)
        .await;
    assert_eq!(newest.body["items"][0]["current"], false);
    let [current] = oldest.body["items"].as_array().unwrap().as_slice() else {
        panic!("{}", oldest.body)
    };
    assert_eq!(current["current"], true);
    assert_ne!(
        current["created_at"], current["last_used_at"],
        "the session was refreshed"
    );
    assert_eq!(second.status, 200);
    let invalid = users.get("/v1/users/me/sessions?cursor=x", token).await;
    assert_eq!(invalid.status, 422);
}

#[tokio::test]
async fn ends_all_sessions_of_the_caller_only() {
    let users = Users::start().await;
    users.account("eve@souk.test").await;
    users.register("ada@souk.test").await;
    let current = users.login("ada@souk.test", PASSWORD).await;
    let other = users.login("ada@souk.test", PASSWORD).await;
    let other_users = users.login("eve@souk.test", PASSWORD).await;
    let token = current.body["access_token"].as_str().unwrap();
    assert_eq!(users.delete("/v1/users/me/sessions", "").await.status, 401);
    let response = users.delete("/v1/users/me/sessions", token).await;
    assert_eq!(response.status, 204);
    let cookie = response.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("souk_refresh=; Max-Age=0; Path=/v1/auth;"),
        "{cookie}"
    );
    for (login, status) in [(current, 401), (other, 401), (other_users, 200)] {
        let body = json!({"refresh_token": login.body["refresh_token"]});
        assert_eq!(users.post("/v1/auth/refresh", &body).await.status, status);
    }
}
