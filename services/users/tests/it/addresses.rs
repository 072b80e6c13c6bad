//! `/v1/users/me/addresses`: the caller's shipping addresses.

use serde_json::json;

use crate::support::Users;

#[tokio::test]
async fn only_the_owner_can_access_an_address() {
    let users = Users::start().await;
    let ada = users.account("ada@souk.test").await;
    let eve = users.account("eve@souk.test").await;
    let home = json!({"name": "Ada", "line1": "1 Main St", "city": "Berlin", "postal_code": "10115", "country": "DE"});
    let saved = users.post_as("/v1/users/me/addresses", &ada, &home).await;
    assert_eq!(saved.status, 201);
    let path = saved.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(users.put(&path, &eve, home.clone()).await.status, 404);
    assert_eq!(users.delete(&path, &eve).await.status, 404);
    assert_eq!(
        users.get("/v1/users/me/addresses", &eve).await.body["items"],
        json!([])
    );
    let mut moved = home.clone();
    moved["city"] = json!("Bonn");
    assert_eq!(users.put(&path, &ada, moved).await.body["city"], "Bonn");
    assert_eq!(
        users.get("/v1/users/me/addresses", &ada).await.body["items"][0]["city"],
        "Bonn"
    );
    assert_eq!(users.delete(&path, &ada).await.status, 204);
    assert_eq!(users.delete(&path, &ada).await.status, 404);
}

#[tokio::test]
async fn invalid_addresses_pages_and_ids_are_rejected() {
    let users = Users::start().await;
    let ada = users.account("ada@souk.test").await;
    let bad = json!({"name": "", "line1": "x\u{0}", "city": "B", "postal_code": "1", "country": "Germany"});
    let response = users.post_as("/v1/users/me/addresses", &ada, &bad).await;
    assert_eq!(response.pointers(), ["/name", "/line1", "/country"]);
    for query in ["limit=0", "limit=101", "limit=x", "cursor=nonsense", "page=2"] {
        assert_eq!(
            users
                .get(&format!("/v1/users/me/addresses?{query}"), &ada)
                .await
                .status,
            422,
            "{query}"
        );
    }
    assert_eq!(users.delete("/v1/users/me/addresses/7", &ada).await.status, 404);
}
