//! `/v1/users/me/password`: changes of the password.

use serde_json::json;

use crate::support::{PASSWORD, Users};

#[tokio::test]
async fn changes_the_password_and_ends_the_other_sessions() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let other = users.login("ada@souk.test", PASSWORD).await;
    let current = users.login("ada@souk.test", PASSWORD).await;
    let token = current.body["access_token"].as_str().unwrap();
    let put = |old: &'static str, new: &'static str| {
        users.put(
            "/v1/users/me/password",
            token,
            json!({"current_password": old, "new_password": new}),
        )
    };
    assert_eq!(
        put("not the password", "a new password of ada").await.pointers(),
        ["/current_password"]
    );
    assert_eq!(put(PASSWORD, "too short").await.pointers(), ["/new_password"]);
    assert_eq!(put(PASSWORD, "a new password of ada").await.status, 204);
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 401);
    assert_eq!(
        users.login("ada@souk.test", "a new password of ada").await.status,
        200
    );
    for (response, status) in [(other, 401), (current, 200)] {
        let body = json!({"refresh_token": response.body["refresh_token"]});
        assert_eq!(users.post("/v1/auth/refresh", &body).await.status, status);
    }
}

#[tokio::test]
async fn deletes_the_api_keys_unless_they_are_kept() {
    let users = Users::start().await;
    let ada = users.account("ada@souk.test").await;
    let key = users.api_key(&ada, &json!({"name": "backup"})).await;
    let exchange = async || {
        let body = json!({"key": key});
        users.post("/internal/v1/api-keys/exchange", &body).await.status
    };
    let put = async |current: &str, new: &str, keep: bool| {
        let body = json!({"current_password": current, "new_password": new, "keep_api_keys": keep});
        users.put("/v1/users/me/password", &ada, body).await.status
    };
    assert_eq!(put(PASSWORD, "a new password of ada", true).await, 204);
    assert_eq!(exchange().await, 200);
    assert_eq!(put("a new password of ada", PASSWORD, false).await, 204);
    assert_eq!(exchange().await, 401);
}

#[tokio::test]
async fn an_ended_session_cannot_change_the_password() {
    let users = Users::start().await;
    let ada = users.account("ada@souk.test").await;
    users.sql("UPDATE sessions SET revoked_at = now()").await;
    let body = json!({"current_password": PASSWORD, "new_password": "a new password of ada"});
    assert_eq!(users.put("/v1/users/me/password", &ada, body).await.status, 401);
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn wrong_passwords_of_one_session_do_not_throttle_another() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let mut tokens = vec![];
    for _ in 0..2 {
        let login = users.login("ada@souk.test", PASSWORD).await;
        tokens.push(login.body["access_token"].as_str().unwrap().to_owned());
    }
    let put = async |token: &str, current: &str| {
        let body = json!({"current_password": current, "new_password": "a new password of ada"});
        users.put("/v1/users/me/password", token, body).await.status
    };
    for _ in 0..5 {
        assert_eq!(put(&tokens[0], "not the password").await, 422);
    }
    assert_eq!(put(&tokens[0], PASSWORD).await, 429);
    assert_eq!(put(&tokens[1], PASSWORD).await, 204);
}
