//! `/v1/users/me`: the caller's account.

use serde_json::json;

use crate::support::Users;

#[tokio::test]
async fn owners_can_change_their_name_but_not_their_roles() {
    let users = Users::start().await;
    let ada = users.account("ada@souk.test").await;
    let me = users.get("/v1/users/me", &ada).await;
    assert_eq!(
        (me.status, &me.body["email"], &me.body["roles"]),
        (200, &json!("ada@souk.test"), &json!(["customer"]))
    );
    let changed = users
        .patch("/v1/users/me", &ada, &json!({"name": "Countess"}))
        .await;
    assert_eq!((changed.status, &changed.body["name"]), (200, &json!("Countess")));
    let refused = users
        .patch("/v1/users/me", &ada, &json!({"roles": ["admin"]}))
        .await;
    assert_eq!((refused.status, refused.pointers()), (422, vec!["/roles".into()]));
    assert_eq!(users.get("/v1/users/me", "").await.status, 401);
    assert_eq!(users.get("/v1/users/me", "nonsense").await.status, 401);
}
