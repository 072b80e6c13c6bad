//! Registrations over HTTP.

use serde_json::json;

use crate::testing::{PASSWORD, Users};

#[tokio::test]
async fn a_known_address_gets_the_same_answer_and_keeps_its_account() {
    let users = Users::start().await;
    let first = users
        .post(
            "/v1/auth/register",
            &json!({"email": "Ada@souk.test", "password": PASSWORD, "name": "Ada"}),
        )
        .await;
    let again = users
        .post(
            "/v1/auth/register",
            &json!({"email": "ada@souk.test", "password": "another password", "name": "Eve"}),
        )
        .await;
    assert_eq!((first.status, &first.body), (202, &json!({"status": "accepted"})));
    assert_eq!((again.status, again.body), (first.status, first.body));
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
    assert_eq!(users.login("ada@souk.test", "another password").await.status, 401);
}

#[tokio::test]
async fn says_everything_that_is_wrong_at_once() {
    let users = Users::start().await;
    let answer = users
        .post(
            "/v1/auth/register",
            &json!({"email": "ada", "password": "short", "name": ""}),
        )
        .await;
    assert_eq!(
        (answer.status, answer.pointers()),
        (422, vec!["/email".into(), "/password".into(), "/name".into()])
    );
    let body = json!({"email": "ada@souk.test", "password": PASSWORD, "name": "Ada", "roles": ["admin"]});
    let answer = users.post("/v1/auth/register", &body).await;
    assert_eq!((answer.status, answer.pointers()), (422, vec!["/roles".into()]));
}

#[tokio::test]
async fn outside_the_demo_an_account_must_be_verified() {
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
        "good once"
    );
}
#[tokio::test]
async fn an_unverified_address_is_registered_again_and_verified_with_the_newest_password() {
    let users = Users::start_without_demo().await;
    let register = async |name: &str, password: &str| {
        let body = json!({"email": "ada@souk.test", "password": password, "name": name});
        let answer = users.post("/v1/auth/register", &body).await;
        assert_eq!((answer.status, answer.body), (202, json!({"status": "accepted"})));
        users.mail_token("ada@souk.test").await
    };
    let verify = async |token: String| {
        users
            .post("/v1/auth/verify", &json!({"token": token}))
            .await
            .status
    };
    let others = register("Eve", "the password of eve").await;
    let owners = register("Ada", PASSWORD).await;
    assert_eq!(verify(others).await, 422, "only the newest mail verifies");
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 401);
    assert_eq!(verify(owners).await, 204);
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
async fn registering_again_too_often_changes_nothing() {
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
    assert_eq!(users.mail_token("ada@souk.test").await, token, "no sixth mail");
    let verified = users.post("/v1/auth/verify", &json!({"token": token})).await;
    assert_eq!(verified.status, 204);
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn the_owner_of_a_verified_address_is_notified() {
    let users = Users::start_without_demo().await;
    users.verified("ada@souk.test").await;
    users.register("ada@souk.test").await;
    let told = "SELECT count(*) FROM domain_events
                WHERE type = 'password_reset_requested' AND data->'registered_again' = 'true'";
    assert_eq!(users.count(told).await, 1);
    users.sql("UPDATE users SET disabled_at = now()").await;
    users.register("ada@souk.test").await;
    assert_eq!(users.count(told).await, 1, "but not of a disabled account");
}
