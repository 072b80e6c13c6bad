//! `Idempotency-Key`: requests with the same key place one order and get the same response.

use reqwest::Method;
use serde_json::Value;

use crate::support::{Response, Shop, body, shop};

async fn place(shop: &Shop, key: &str, body: &Value) -> Response {
    let request = shop.as_user(shop.user, Method::POST, "/v1/orders");
    Response::of(request.header("idempotency-key", key).json(body)).await
}

async fn orders(shop: &Shop) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM orders")
        .fetch_one(shop.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_repetition_gets_the_same_response_and_another_body_is_rejected() {
    let shop = shop().await;
    let first = place(&shop, "one", &body(&[("TEA-1", 1)])).await;
    assert_eq!(first.status, 202, "{}", first.text);
    let again = place(&shop, "one", &body(&[("TEA-1", 1)])).await;
    assert_eq!((again.status, &again.text), (202, &first.text));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let other = place(&shop, "one", &body(&[("TEA-1", 2)])).await.problem(422);
    assert!(
        other["type"]
            .as_str()
            .unwrap()
            .ends_with("/idempotency-key-reused"),
        "{other:#}"
    );
    assert_eq!(orders(&shop).await, 1);
    // Keys of different users are independent.
    let request = shop
        .as_user(shop.admin, Method::POST, "/v1/orders")
        .header("idempotency-key", "one");
    Response::of(request.json(&body(&[("TEA-1", 1)])))
        .await
        .expect(202);
    assert_eq!(orders(&shop).await, 2);
}

#[tokio::test]
async fn a_repetition_is_answered_while_inventory_is_unavailable() {
    let shop = shop().await;
    let first = place(&shop, "one", &body(&[("TEA-1", 1)])).await;
    let shop = shop.without_inventory().await;
    let again = place(&shop, "one", &body(&[("TEA-1", 1)])).await;
    assert_eq!((again.status, again.text), (202, first.text));
    let _ = place(&shop, "two", &body(&[("TEA-1", 1)])).await.problem(503);
}

#[tokio::test]
async fn a_key_in_flight_is_a_conflict() {
    let shop = shop().await;
    let mut transaction = shop.pool().begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("{}/place_order/slow", shop.user))
        .execute(&mut *transaction)
        .await
        .unwrap();
    let response = place(&shop, "slow", &body(&[("TEA-1", 1)])).await;
    assert!(!response.header("retry-after").is_empty());
    let _ = response.problem(409);
    transaction.rollback().await.unwrap();
    place(&shop, "slow", &body(&[("TEA-1", 1)])).await.expect(202);
}

#[tokio::test]
async fn concurrent_requests_with_one_key_place_one_order() {
    let shop = shop().await;
    let request = body(&[("TEA-1", 1)]);
    let responses = futures::future::join_all((0..8).map(|_| place(&shop, "many", &request))).await;
    let accepted: Vec<_> = responses
        .iter()
        .filter(|response| response.status == 202)
        .collect();
    assert!(!accepted.is_empty() && accepted.iter().all(|response| response.text == accepted[0].text));
    assert!(
        responses
            .iter()
            .all(|response| [202, 409].contains(&response.status))
    );
    assert_eq!(orders(&shop).await, 1);
}

#[tokio::test]
async fn a_key_is_required_and_can_be_used_again_after_a_failure() {
    let shop = shop().await;
    let request = shop
        .as_user(shop.user, Method::POST, "/v1/orders")
        .json(&body(&[("TEA-1", 1)]));
    let _ = Response::of(request).await.problem(400);
    assert_eq!(
        place(&shop, "later", &body(&[("NONE-1", 1)])).await.pointers(),
        ["/items/0/sku"]
    );
    place(&shop, "later", &body(&[("TEA-1", 1)])).await.expect(202);
}
