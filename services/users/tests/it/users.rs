//! `/v1/users`: operators search and change accounts.

use serde_json::json;

use crate::support::{PASSWORD, Users};

#[tokio::test]
async fn only_operators_can_search_accounts_page_by_page() {
    let users = Users::start().await;
    let ada = users.account("ada@souk.test").await;
    users.register("a_b@souk.test").await;
    users.register("eve@elsewhere.test").await;
    let admin = users.admin().await;
    assert_eq!(users.get("/v1/users", &ada).await.status, 403);
    assert_eq!(users.get("/v1/users", "").await.status, 401);
    let first = users.get("/v1/users?q=SOUK.test&limit=2", &admin).await.body;
    assert_eq!(first["items"][0]["disabled"], json!(false));
    assert!(!first.to_string().contains("argon2"));
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = users
        .get(&format!("/v1/users?q=SOUK.test&limit=2&cursor={cursor}"), &admin)
        .await
        .body;
    let emails = |page: &serde_json::Value| -> Vec<String> {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["email"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(emails(&first), ["root@souk.test", "a_b@souk.test"]);
    assert_eq!(
        (emails(&second), &second["next_cursor"]),
        (vec!["ada@souk.test".to_owned()], &json!(null))
    );
    assert_eq!(
        emails(&users.get("/v1/users?q=a_", &admin).await.body),
        ["a_b@souk.test"],
        "an underscore is not a wildcard"
    );
}

#[tokio::test]
async fn changes_by_operators_take_effect_and_are_recorded() {
    let users = Users::start().await;
    let ada = users.account("ada@souk.test").await;
    let admin = users.admin().await;
    let id = |body: &serde_json::Value| body["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/users/{}", id(&users.get("/v1/users/me", &ada).await.body));
    let own = format!("/v1/users/{}", id(&users.get("/v1/users/me", &admin).await.body));
    assert_eq!(
        users
            .patch(&path, &ada, &json!({"roles": ["admin"]}))
            .await
            .status,
        403
    );
    assert_eq!(
        users.patch(&own, &admin, &json!({"disabled": true})).await.status,
        409
    );
    for bad in [
        json!({"roles": []}),
        json!({"roles": ["root"]}),
        json!({"email": "x@souk.test"}),
    ] {
        assert_eq!(users.patch(&path, &admin, &bad).await.status, 422, "{bad}");
    }
    let unknown = "/v1/users/019283bc-0000-7000-8000-000000000000";
    assert_eq!(
        users
            .patch(unknown, &admin, &json!({"disabled": true}))
            .await
            .status,
        404
    );

    let session = users.login("ada@souk.test", PASSWORD).await.body["refresh_token"].clone();
    let response = users
        .patch(&path, &admin, &json!({"disabled": true, "reason": "fraud"}))
        .await;
    assert_eq!((response.status, &response.body["disabled"]), (200, &json!(true)));
    assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 401);
    let response = users
        .patch(
            &path,
            &admin,
            &json!({"disabled": false, "roles": ["customer", "admin"]}),
        )
        .await;
    assert_eq!(
        (&response.body["disabled"], &response.body["roles"]),
        (&json!(false), &json!(["customer", "admin"]))
    );
    assert_eq!(
        users
            .post("/v1/auth/refresh", &json!({"refresh_token": session}))
            .await
            .status,
        401,
        "enabling the account does not restore its sessions"
    );
    let token = users.login("ada@souk.test", PASSWORD).await.body["access_token"].clone();
    assert_eq!(users.get("/v1/users", token.as_str().unwrap()).await.status, 200);
    assert_eq!(
        users
            .count("SELECT count(*) FROM account_changes WHERE actor_id <> user_id")
            .await,
        2
    );
    assert_eq!(
        users
            .count("SELECT count(*) FROM account_changes WHERE reason = 'fraud'")
            .await,
        1
    );
}
