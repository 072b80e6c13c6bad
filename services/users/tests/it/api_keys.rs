//! Tests of API keys over HTTP.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestResponse, Users};

#[tokio::test]
async fn a_key_is_returned_once_and_valid_until_deleted() {
    let users = Users::start().await;
    let ada = users.account("ada@souk.test").await;
    let eve = users.account("eve@souk.test").await;
    let created = users
        .post_as("/v1/users/me/api-keys", &ada, &json!({"name": "backup"}))
        .await;
    assert_eq!(created.status, 201);
    let key = created.body["key"].as_str().unwrap().to_owned();
    let listed = users.get("/v1/users/me/api-keys", &ada).await.body;
    assert_eq!(listed["items"][0]["name"], "backup");
    assert!(!listed.to_string().contains(&key));
    let exchange = json!({"key": key});
    let token = users.post("/internal/v1/api-keys/exchange", &exchange).await;
    assert_eq!((token.status, &token.body["expires_in"]), (200, &json!(600)));
    let me = users
        .get("/v1/users/me", token.body["access_token"].as_str().unwrap())
        .await;
    assert_eq!(me.body["email"], "ada@souk.test");
    let path = format!("/v1/users/me/api-keys/{}", created.body["id"].as_str().unwrap());
    assert_eq!(users.delete(&path, &eve).await.status, 404);
    assert_eq!(users.delete(&path, &ada).await.status, 204);
    assert_eq!(
        users
            .post("/internal/v1/api-keys/exchange", &exchange)
            .await
            .status,
        401
    );
}

async fn exchange(users: &Users, key: &str) -> TestResponse {
    let body = json!({"key": key});
    users.post("/internal/v1/api-keys/exchange", &body).await
}

/// Creates an API key and exchanges it for an access token.
async fn access_token(users: &Users, session: &str, body: &Value) -> String {
    let key = users.api_key(session, body).await;
    let response = exchange(users, &key).await;
    response.body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_new_key_has_the_scope_read_and_lasts_90_days_by_default() {
    let users = Users::start().await;
    let ada = users.account("ada@souk.test").await;
    let path = "/v1/users/me/api-keys";
    let default = users.post_as(path, &ada, &json!({"name": "default"})).await.body;
    let days = |key: &Value| {
        let time = |name: &str| key[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        (time("expires_at") - time("created_at") + Duration::hours(1)).num_days()
    };
    assert_eq!((&default["scopes"], days(&default)), (&json!(["read"]), 90));
    let body = json!({"name": "shop", "scopes": ["order", "read", "order"], "expires_at": Utc::now() + Duration::days(7)});
    let custom = users.post_as(path, &ada, &body).await.body;
    assert_eq!((&custom["scopes"], days(&custom)), (&json!(["read", "order"]), 7));
    for (body, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"name": "x", "scopes": []}), "/scopes"),
        (json!({"name": "x", "expires_at": Utc::now()}), "/expires_at"),
        (
            json!({"name": "x", "expires_at": Utc::now() + Duration::days(367)}),
            "/expires_at",
        ),
        (json!({"name": "x", "roles": ["admin"]}), "/roles"),
    ] {
        let refused = users.post_as(path, &ada, &body).await;
        assert_eq!(
            (refused.status, refused.pointers()),
            (422, vec![pointer.into()]),
            "{body}"
        );
    }
    let unknown = json!({"name": "x", "scopes": ["everything"]});
    assert_eq!(users.post_as(path, &ada, &unknown).await.status, 422);
}

#[tokio::test]
async fn a_key_cannot_change_keys_password_sessions_or_the_account() {
    let users = Users::start().await;
    users.admin().await;
    let session = users.login("root@souk.test", PASSWORD).await.body["access_token"].clone();
    let session = session.as_str().unwrap();
    let body = json!({"name": "all", "scopes": ["read", "order", "admin"]});
    let key = access_token(&users, session, &body).await;
    let listed = users.get("/v1/users/me/api-keys", &key).await;
    assert_eq!(listed.status, 200, "a key may read the list");
    let own = format!(
        "/v1/users/me/api-keys/{}",
        listed.body["items"][0]["id"].as_str().unwrap()
    );
    let password = json!({"current_password": PASSWORD, "new_password": "a new password of root"});
    for refused in [
        users
            .post_as("/v1/users/me/api-keys", &key, &json!({"name": "child"}))
            .await,
        users.delete(&own, &key).await,
        users.put("/v1/users/me/password", &key, password).await,
        users.delete("/v1/users/me/sessions", &key).await,
        users.patch("/v1/users/me", &key, &json!({"name": "Eve"})).await,
    ] {
        assert_eq!(refused.status, 403, "{}", refused.body);
        assert_eq!(
            refused.body["type"],
            "https://souk.test/problems/session-required"
        );
    }
}

#[tokio::test]
async fn scopes_decide_what_a_key_may_do() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let address = json!({"name": "R", "line1": "1 Market Street", "city": "Berlin", "postal_code": "10115", "country": "DE"});
    for (scopes, read, write, operate) in [
        (json!(["read"]), 200, 403, 403),
        (json!(["order"]), 200, 201, 403),
        (json!(["admin"]), 200, 403, 200),
        (json!(["order", "admin"]), 200, 201, 200),
    ] {
        let token = access_token(&users, &admin, &json!({"name": "k", "scopes": scopes})).await;
        let claims = users.verifier().verify(&token).await.unwrap();
        assert_eq!(claims.is_admin(), operate == 200, "{scopes}");
        assert_eq!(users.get("/v1/users/me", &token).await.status, read, "{scopes}");
        let written = users.post_as("/v1/users/me/addresses", &token, &address).await;
        assert_eq!(written.status, write, "{scopes} {}", written.body);
        assert_eq!(users.get("/v1/users", &token).await.status, operate, "{scopes}");
    }
}

#[tokio::test]
async fn the_scope_admin_requires_the_role_admin() {
    let users = Users::start().await;
    let ada = users.account("ada@souk.test").await;
    let body = json!({"name": "k", "scopes": ["admin"]});
    let refused = users.post_as("/v1/users/me/api-keys", &ada, &body).await;
    assert_eq!(refused.status, 403);
    let admin = users.admin().await;
    let key = users.api_key(&admin, &body).await;
    users
        .sql("UPDATE users SET roles = '{customer}' WHERE email = 'root@souk.test'")
        .await;
    let token = exchange(&users, &key).await.body["access_token"].clone();
    assert_eq!(users.get("/v1/users", token.as_str().unwrap()).await.status, 403);
    let stale = users.post_as("/v1/users/me/api-keys", &admin, &body).await;
    assert_eq!(
        stale.status, 403,
        "the roles in the database count, not those in the token"
    );
}

#[tokio::test]
async fn access_tokens_expire_with_their_key() {
    let users = Users::start().await;
    let ada = users.account("ada@souk.test").await;
    let soon = json!({"name": "soon", "expires_at": Utc::now() + Duration::minutes(5)});
    let key = users.api_key(&ada, &soon).await;
    let response = exchange(&users, &key).await;
    let lifetime = response.body["expires_in"].as_i64().unwrap();
    assert!((280..=300).contains(&lifetime), "{lifetime}");
    let token = response.body["access_token"].as_str().unwrap();
    let claims = users.verifier().verify(token).await.unwrap();
    assert_eq!(claims.exp - claims.iat, lifetime);
    let listed = users.get("/v1/users/me/api-keys", &ada).await.body;
    assert!(listed["items"][0]["last_used_at"].is_string(), "{listed}");
    users.sql("UPDATE api_keys SET expires_at = now()").await;
    assert_eq!(exchange(&users, &key).await.status, 401);
}

#[tokio::test]
async fn concurrent_requests_create_at_most_20_keys() {
    let users = Users::start().await;
    let ada = users.account("ada@souk.test").await;
    let body = json!({"name": "k"});
    let create = || users.post_as("/v1/users/me/api-keys", &ada, &body);
    let responses = futures::future::join_all((0..25).map(|_| create())).await;
    let created = responses.iter().filter(|response| response.status == 201).count();
    assert_eq!(created, 20);
    assert!(
        responses
            .iter()
            .all(|response| [201, 409].contains(&response.status))
    );
    users
        .sql("UPDATE api_keys SET expires_at = now() WHERE id = (SELECT min(id::text)::uuid FROM api_keys)")
        .await;
    assert_eq!(create().await.status, 201, "expired keys do not count");
}

#[tokio::test]
async fn an_ended_session_cannot_create_a_key() {
    let users = Users::start().await;
    let ada = users.account("ada@souk.test").await;
    users.sql("UPDATE sessions SET revoked_at = now()").await;
    let refused = users
        .post_as("/v1/users/me/api-keys", &ada, &json!({"name": "k"}))
        .await;
    assert_eq!(refused.status, 401);
}
