//! Tests of registrations over HTTP.

use serde_json::json;

use crate::support::{PASSWORD, Users};

#[tokio::test]
async fn a_registered_address_gets_the_same_response_and_keeps_its_account() {
    let users = Users::start().await;
    let first = users
        .post(
            "/v1/auth/register",
            &json!({"email": "Ada@souk.test", "password": PASSWORD, "name": "Ada"}),
        )
        .await;
    let second = users
        .post(
            "/v1/auth/register",
            &json!({"email": "ada@souk.test", "password": "another password", "name": "Eve"}),
        )
        .await;
    assert_eq!((first.status, &first.body), (202, &json!({"status": "accepted"})));
    assert_eq!((second.status, second.body), (first.status, first.body));
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
    assert_eq!(users.login("ada@souk.test", "another password").await.status, 401);
}

#[tokio::test]
async fn a_response_names_all_invalid_fields() {
    let users = Users::start().await;
    let response = users
        .post(
            "/v1/auth/register",
            &json!({"email": "ada", "password": "short", "name": ""}),
        )
        .await;
    assert_eq!(
        (response.status, response.pointers()),
        (422, vec!["/email".into(), "/password".into(), "/name".into()])
    );
    let body = json!({"email": "ada@souk.test", "password": PASSWORD, "name": "Ada", "roles": ["admin"]});
    let response = users.post("/v1/auth/register", &body).await;
    assert_eq!(
        (response.status, response.pointers()),
        (422, vec!["/roles".into()])
    );
}

#[tokio::test]
async fn outside_demo_mode_an_account_must_be_verified() {
    let users = Users::start_without_demo().await;
    users.register("ada@souk.test").await;
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 401);
    assert_eq!(
        users
            .post("/v1/auth/verify", &json!({"token": "souk_vt_wrong"}))
            .await
            .status,
        422
    );
    let token = users.mail_token("ada@souk.test").await;
    assert_eq!(
        users
            .post("/v1/auth/verify", &json!({"token": token}))
            .await
            .status,
        204
    );
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
    assert_eq!(
        users
            .post("/v1/auth/verify", &json!({"token": token}))
            .await
            .status,
        422,
        "a token can be used once"
    );
}

#[tokio::test]
async fn registering_an_unverified_address_again_replaces_its_password() {
    let users = Users::start_without_demo().await;
    let register = async |name: &str, password: &str| {
        let body = json!({"email": "ada@souk.test", "password": password, "name": name});
        let response = users.post("/v1/auth/register", &body).await;
        assert_eq!(
            (response.status, response.body),
            (202, json!({"status": "accepted"}))
        );
        users.mail_token("ada@souk.test").await
    };
    let verify = async |token: String| {
        users
            .post("/v1/auth/verify", &json!({"token": token}))
            .await
            .status
    };
    let first = register("Eve", "the password of eve").await;
    let newest = register("Ada", PASSWORD).await;
    assert_eq!(verify(first).await, 422, "only the newest token is valid");
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 401);
    assert_eq!(verify(newest).await, 204);
    assert_eq!(
        users.login("ada@souk.test", "the password of eve").await.status,
        401
    );
    let login = users.login("ada@souk.test", PASSWORD).await;
    let token = login.body["access_token"].as_str().unwrap();
    assert_eq!(users.get("/v1/users/me", token).await.body["name"], "Ada");
    assert_eq!(users.count("SELECT count(*) FROM users").await, 1);
}

#[tokio::test]
async fn registrations_beyond_the_email_limit_change_nothing() {
    let users = Users::start_without_demo().await;
    let register = async |password: &str| {
        let body = json!({"email": "ada@souk.test", "password": password, "name": "Ada"});
        assert_eq!(users.post("/v1/auth/register", &body).await.status, 202);
    };
    for _ in 0..4 {
        register("the password of eve").await;
    }
    register(PASSWORD).await;
    let token = users.mail_token("ada@souk.test").await;
    register("the password of eve").await;
    assert_eq!(
        users.mail_token("ada@souk.test").await,
        token,
        "there is no sixth email"
    );
    let verified = users.post("/v1/auth/verify", &json!({"token": token})).await;
    assert_eq!(verified.status, 204);
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn the_owner_of_a_verified_address_is_notified() {
    let users = Users::start_without_demo().await;
    users.verified("ada@souk.test").await;
    users.register("ada@souk.test").await;
    let notifications = "SELECT count(*) FROM domain_events
                WHERE type = 'password_reset_requested' AND data->'registered_again' = 'true'";
    assert_eq!(users.count(notifications).await, 1);
    users.sql("UPDATE users SET disabled_at = now()").await;
    users.register("ada@souk.test").await;
    assert_eq!(
        users.count(notifications).await,
        1,
        "the owner of a disabled account is not notified"
    );
}
