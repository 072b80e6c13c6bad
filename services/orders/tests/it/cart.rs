//! Carts, and orders that are placed from a cart.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    participants::TIMEOUT,
    support::{Response, Shop, address, shop},
};

async fn put(shop: &Shop, sku: &str, quantity: i64) -> Response {
    let request = shop.as_user(shop.user, Method::PUT, &format!("/v1/cart/items/{sku}"));
    Response::of(request.json(&json!({"quantity": quantity}))).await
}

async fn delete(shop: &Shop, path: &str) -> u16 {
    Response::of(shop.as_user(shop.user, Method::DELETE, path))
        .await
        .status
}

fn from_cart() -> Value {
    json!({"shipping_address": address(), "payment_method": "pm_card_ok"})
}

#[tokio::test]
async fn a_cart_is_filled_changed_and_emptied() {
    let shop = shop().await;
    assert_eq!(shop.get("/v1/cart").await.expect(200), json!({"items": []}));
    put(&shop, "TEA-1", 1).await.expect(200);
    put(&shop, "CUP-1", 2).await.expect(200);
    let cart = put(&shop, "TEA-1", 5).await.expect(200);
    assert_eq!(
        cart,
        json!({"items": [{"sku": "CUP-1", "quantity": 2}, {"sku": "TEA-1", "quantity": 5}]})
    );
    assert_eq!(put(&shop, "TEA-1", 0).await.pointers(), ["/quantity"]);
    assert_eq!(put(&shop, "TEA-1", 100).await.pointers(), ["/quantity"]);
    let _ = put(&shop, "a%20b", 1).await.problem(404);
    assert_eq!(delete(&shop, "/v1/cart/items/CUP-1").await, 204);
    assert_eq!(delete(&shop, "/v1/cart/items/CUP-1").await, 204);
    assert_eq!(
        shop.get("/v1/cart").await.expect(200),
        json!({"items": [{"sku": "TEA-1", "quantity": 5}]})
    );
    assert_eq!(shop.admin_get("/v1/cart").await.expect(200), json!({"items": []}));
    assert_eq!(delete(&shop, "/v1/cart").await, 204);
    assert_eq!(shop.get("/v1/cart").await.expect(200), json!({"items": []}));
}

#[tokio::test]
async fn a_cart_has_at_most_fifty_lines() {
    let shop = shop().await;
    for n in 0..50 {
        put(&shop, &format!("S-{n}"), 1).await.expect(200);
    }
    let _ = put(&shop, "S-50", 1).await.problem(422);
    put(&shop, "S-7", 3).await.expect(200);
}

#[tokio::test]
async fn an_order_without_items_is_placed_from_the_cart() {
    let shop = shop().await;
    assert_eq!(shop.post("/v1/orders", &from_cart()).await.pointers(), ["/items"]);
    put(&shop, "TEA-1", 2).await.expect(200);
    put(&shop, "NONE-1", 1).await.expect(200);
    assert_eq!(shop.post("/v1/orders", &from_cart()).await.pointers(), ["/items"]);
    assert_eq!(
        shop.get("/v1/cart").await.expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        2,
        "the cart is unchanged"
    );
    assert_eq!(delete(&shop, "/v1/cart/items/NONE-1").await, 204);
    let placed = shop.post("/v1/orders", &from_cart()).await.expect(202);
    assert_eq!(placed["total"], json!({"amount": 900, "currency": "EUR"}));
    assert_eq!(shop.get("/v1/cart").await.expect(200), json!({"items": []}));
}

#[tokio::test]
async fn a_cart_that_changes_while_it_is_being_ordered_is_not_ordered() {
    let shop = shop().await;
    put(&shop, "TEA-1", 2).await.expect(200);
    // Another browser window of the same shopper is about to add an item.
    let mut change = shop.pool().begin().await.unwrap();
    sqlx::query("UPDATE cart_items SET quantity = 3")
        .execute(&mut *change)
        .await
        .unwrap();
    let cart = from_cart();
    let ordering = shop.post("/v1/orders", &cart);
    let changing = async {
        eventually("the order waits for the cart", TIMEOUT, async || {
            let is_waiting: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock')",
            )
            .fetch_one(shop.pool())
            .await
            .unwrap();
            is_waiting.then_some(())
        })
        .await;
        change.commit().await.unwrap();
    };
    let (response, ()) = tokio::join!(ordering, changing);
    let problem = response.problem(409);
    assert!(
        problem["type"].as_str().unwrap().ends_with("/cart-changed"),
        "{problem:#}"
    );
    let kept = shop.get("/v1/cart").await.expect(200);
    assert_eq!(kept, json!({"items": [{"sku": "TEA-1", "quantity": 3}]}));
    assert_eq!(shop.get("/v1/orders").await.expect(200)["items"], json!([]));
    let placed = shop.post("/v1/orders", &cart).await.expect(202);
    assert_eq!(placed["lines"][0]["quantity"], 3);
}

#[tokio::test]
async fn a_repetition_that_finds_the_cart_ordered_gets_the_first_response() {
    let shop = shop().await;
    put(&shop, "TEA-1", 1).await.expect(200);
    let (key, request) = (uuid::Uuid::new_v4().to_string(), from_cart().to_string());
    // The first request has not committed its transaction.
    let mut first = shop.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE cart_items IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *first)
        .await
        .unwrap();
    let repeated = shop
        .as_user(shop.user, Method::POST, "/v1/orders")
        .header("idempotency-key", &key)
        .header("content-type", "application/json")
        .body(request.clone());
    let repeated = tokio::spawn(Response::of(repeated));
    eventually("the repetition reads the cart", TIMEOUT, async || {
        let is_waiting: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                 WHERE NOT l.granted AND c.relname = 'cart_items' AND l.database =
                     (SELECT oid FROM pg_database WHERE datname = current_database()))",
        )
        .fetch_one(shop.pool())
        .await
        .unwrap();
        is_waiting.then_some(())
    })
    .await;
    sqlx::query("DELETE FROM cart_items")
        .execute(&mut *first)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO idempotency_keys (user_id, operation, key, request_sha256, status, location, body)
         VALUES ($1, 'place_order', $2, sha256(convert_to($3, 'UTF8')), 202, '/v1/orders/1', '{\"id\":1}')",
    )
    .bind(shop.user.0)
    .bind(&key)
    .bind(&request)
    .execute(&mut *first)
    .await
    .unwrap();
    first.commit().await.unwrap();
    let response = repeated.await.unwrap();
    assert_eq!(
        response.header("idempotency-replayed"),
        "true",
        "{}",
        response.text
    );
    assert_eq!(response.expect(202), json!({"id": 1}));
}
