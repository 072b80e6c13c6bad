//! Invalid requests, and the problems with which they are rejected.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Response, address, body, shop};

#[tokio::test]
async fn every_invalid_field_of_an_order_has_a_pointer() {
    let shop = shop().await;
    let with = |change: fn(&mut Value)| {
        let mut body = body(&[("TEA-1", 1)]);
        change(&mut body);
        body
    };
    let fifty_one: Vec<Value> = (0..51)
        .map(|n| json!({"sku": format!("S-{n}"), "quantity": 1}))
        .collect();
    let cases = [
        (body(&[("TEA-1", 0)]), "/items/0/quantity"),
        (body(&[("TEA-1", 1), ("CUP-1", 100)]), "/items/1/quantity"),
        (body(&[("a b", 1)]), "/items/0/sku"),
        (body(&[("TEA-1", 1), ("NONE-1", 1)]), "/items/1/sku"),
        (body(&[("TEA-1", 1), ("TEA-1", 1)]), "/items/1/sku"),
        (body(&[]), "/items"),
        (
            json!({"items": fifty_one, "shipping_address": address(), "payment_method": "pm_card_ok"}),
            "/items",
        ),
        (
            with(|body| body["payment_method"] = json!("4242424242424242")),
            "/payment_method",
        ),
        (
            with(|body| body["payment_method"] = json!("pm_")),
            "/payment_method",
        ),
        (
            with(|body| body["shipping_address"]["country"] = json!("Germany")),
            "/shipping_address/country",
        ),
        (
            with(|body| body["shipping_address"]["name"] = json!("")),
            "/shipping_address/name",
        ),
        (
            with(|body| body["shipping_address"]["name"] = json!("A\0B")),
            "/shipping_address/name",
        ),
        (with(|body| body["coupon"] = json!("FREE")), "/coupon"),
        (
            with(|body| body["shipping_address"]["planet"] = json!("Mars")),
            "/shipping_address/planet",
        ),
        (
            with(|body| body["items"][0]["unit_price"] = json!(1)),
            "/items/0/unit_price",
        ),
        (
            with(|body| drop(body.as_object_mut().unwrap().remove("payment_method"))),
            "/payment_method",
        ),
    ];
    for (body, pointer) in cases {
        assert_eq!(
            shop.post("/v1/orders", &body).await.pointers(),
            [pointer],
            "{body}"
        );
    }
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM orders")
        .fetch_one(shop.pool())
        .await
        .unwrap();
    assert_eq!(count, 0);
    assert!(shop.sent().await.is_empty());
}

#[tokio::test]
async fn malformed_bodies_missing_tokens_and_invalid_queries_are_rejected() {
    let shop = shop().await;
    let order = || {
        shop.as_user(shop.user, Method::POST, "/v1/orders")
            .header("idempotency-key", "k")
    };
    let json = |request: reqwest::RequestBuilder| request.header("content-type", "application/json");
    let _ = Response::of(json(order()).body("{")).await.problem(400);
    let _ = Response::of(order().body("items=1")).await.problem(415);
    let _ = Response::of(json(order()).body(format!("\"{}\"", "x".repeat(70_000))))
        .await
        .problem(413);
    for path in [
        "/v1/orders",
        "/v1/cart",
        "/v1/admin/sagas",
        "/v1/admin/dead-letters",
    ] {
        let _ = Response::of(shop.request(Method::GET, path)).await.problem(401);
        let expired = shop.issuer.expired_token(shop.user);
        let _ = Response::of(shop.request(Method::GET, path).bearer_auth(expired))
            .await
            .problem(401);
    }
    for path in ["/v1/admin/sagas", "/v1/admin/dead-letters", "/v1/orders?all=true"] {
        let _ = shop.get(path).await.problem(403);
    }
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "cursor=%21",
        "status=lost",
        "page=2",
    ] {
        let _ = shop.get(&format!("/v1/orders?{query}")).await.problem(422);
    }
    let _ = shop.get("/v1/orders/not-an-id").await.problem(404);
}

#[tokio::test]
async fn the_orders_of_another_user_are_not_found() {
    let shop = shop().await;
    let order = shop.confirmed_order().await;
    let stranger = contracts::UserId::generate();
    for path in ["", "/saga"] {
        let path = format!("/v1/orders/{order}{path}");
        let _ = Response::of(shop.as_user(stranger, Method::GET, &path))
            .await
            .problem(404);
        shop.admin_get(&path).await.expect(200);
    }
    let cancel = shop.as_user(stranger, Method::POST, &format!("/v1/orders/{order}/cancel"));
    let _ = Response::of(cancel.json(&json!({}))).await.problem(404);
    let returns = format!("/v1/orders/{order}/returns");
    let body = json!({"lines": [{"sku": "TEA-1", "quantity": 1}], "reason": "mine now"});
    // An operator decides about returns but does not request them.
    for request in [
        shop.as_user(stranger, Method::POST, &returns),
        shop.as_admin(Method::POST, &returns),
    ] {
        let _ = Response::of(request.header("idempotency-key", "k").json(&body))
            .await
            .problem(404);
    }
    for path in ["shipments", "deliveries"] {
        let _ = shop
            .post(&format!("/v1/orders/{order}/{path}"), &json!({}))
            .await
            .problem(403);
    }
}
