//! The routes `/v1/products/{sku}/stock` and `/v1/products/{sku}/stock-adjustments`.

use std::time::Duration;

use bson::doc;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    proxy::Proxy,
    slow::CountedDatabase,
    support::{Api, Shelf, TestResponse, api, done, shelf},
};

const STOCK: &str = "/v1/products/TEA/stock";
const ADJUSTMENTS: &str = "/v1/products/TEA/stock-adjustments";

async fn adjust(api: &Api, body: Value) -> TestResponse {
    adjust_with_key(api, &Uuid::now_v7().to_string(), &body).await
}

/// Adjusts the stock with the given `Idempotency-Key`.
async fn adjust_with_key(api: &Api, key: &str, body: &Value) -> TestResponse {
    let request = api.as_admin(Method::POST, ADJUSTMENTS);
    TestResponse::of(request.header("idempotency-key", key).json(body)).await
}

#[tokio::test]
async fn an_adjustment_is_applied_and_recorded_with_actor_and_reason() {
    let api = api().await;
    api.product("TEA", "Green Tea", 500, 0).await;
    let levels = |on_hand: i64, held: i64| json!({"sku": "TEA", "on_hand": on_hand, "available": on_hand - held, "held": held, "committed": 0, "restocked": 0});
    assert_eq!(
        adjust(&api, json!({"delta": 5, "reason": "delivery"}))
            .await
            .expect(200),
        levels(5, 0)
    );
    assert_eq!(
        api.shelf
            .reserve(contracts::OrderId::generate(), &[("TEA", 2)])
            .await,
        done()
    );
    assert_eq!(
        adjust(&api, json!({"delta": -1, "reason": "broken"}))
            .await
            .expect(200),
        levels(4, 2)
    );
    let problem = adjust(&api, json!({"delta": -3, "reason": "stolen"}))
        .await
        .problem(409);
    assert_eq!(problem["type"], "https://souk.test/problems/insufficient-stock");
    let read = TestResponse::of(api.as_admin(Method::GET, STOCK))
        .await
        .expect(200);
    assert_eq!(read, levels(4, 2));
    api.shelf.levels("TEA").await;
    api.shelf.sweep().await;
    let broken = api
        .shelf
        .movements
        .find_one(doc! {"sku": "TEA", "reason": "broken"})
        .await
        .unwrap()
        .unwrap();
    assert_eq!(broken.qty, -1);
    assert!(broken.actor.unwrap().parse::<uuid::Uuid>().is_ok());
    assert_eq!(
        api.shelf
            .movements
            .count_documents(doc! {"sku": "TEA"})
            .await
            .unwrap(),
        2
    );
}

#[tokio::test]
async fn no_concurrent_adjustment_is_lost() {
    let api = api().await;
    api.product("TEA", "Green Tea", 500, 10).await;
    let changes = (0..20).map(|n| {
        adjust(
            &api,
            json!({"delta": if n % 2 == 0 { 2 } else { -1 }, "reason": "count"}),
        )
    });
    for response in join_all(changes).await {
        response.expect(200);
    }
    assert_eq!(api.shelf.levels("TEA").await, (20, 20, 0, 0));
}

#[tokio::test]
async fn every_invalid_adjustment_is_rejected_with_its_field() {
    let api = api().await;
    api.product("TEA", "Green Tea", 500, 1).await;
    for (body, pointer) in [
        (json!({"delta": 0, "reason": "x"}), "/delta"),
        (json!({"delta": 1_000_001, "reason": "x"}), "/delta"),
        (json!({"delta": i64::MIN, "reason": "x"}), "/delta"),
        (json!({"delta": 1.5, "reason": "x"}), "/delta"),
        (json!({"delta": 1, "reason": " "}), "/reason"),
        (json!({"delta": 1}), "/reason"),
        (json!({"delta": 1, "reason": "x", "sku": "OTHER"}), "/sku"),
    ] {
        let problem = adjust(&api, body.clone()).await.problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem:#}");
    }
    let unknown = api.as_admin(Method::POST, "/v1/products/NOPE/stock-adjustments");
    let unknown = unknown.header("idempotency-key", "a");
    TestResponse::of(unknown.json(&json!({"delta": 1, "reason": "x"})))
        .await
        .problem(404);
    TestResponse::of(api.as_admin(Method::GET, "/v1/products/NOPE/stock"))
        .await
        .problem(404);
    assert_eq!(api.shelf.levels("TEA").await, (1, 1, 0, 0));
}

#[tokio::test]
async fn an_adjustment_without_exactly_one_valid_key_is_rejected() {
    let api = api().await;
    api.product("TEA", "Green Tea", 500, 1).await;
    let body = json!({"delta": 1, "reason": "count"});
    let request = || api.as_admin(Method::POST, ADJUSTMENTS).json(&body);
    let long = "x".repeat(256);
    let requests = [
        request(),
        request().header("idempotency-key", ""),
        request().header("idempotency-key", "a b"),
        request().header("idempotency-key", long),
        request()
            .header("idempotency-key", "a")
            .header("idempotency-key", "b"),
    ];
    for request in requests {
        let problem = TestResponse::of(request).await.problem(400);
        assert_eq!(
            problem["type"],
            "https://souk.test/problems/idempotency-key-required"
        );
    }
    assert_eq!(api.shelf.levels("TEA").await, (1, 1, 0, 0));
}

#[tokio::test]
async fn a_repeated_adjustment_takes_effect_once_and_gets_the_same_response() {
    let api = api().await;
    api.product("TEA", "Green Tea", 500, 0).await;
    let body = json!({"delta": 5, "reason": "delivery"});
    let first = adjust_with_key(&api, "key", &body).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, ""));
    // Later changes do not affect the response, and neither does moving the entry from the journal to the ledger.
    adjust(&api, json!({"delta": 1, "reason": "count"}))
        .await
        .expect(200);
    for _ in 0..2 {
        let again = adjust_with_key(&api, "key", &body).await;
        assert_eq!(
            (again.status, again.header("idempotency-replayed")),
            (200, "true")
        );
        assert_eq!(again.header("content-type"), first.header("content-type"));
        assert_eq!(again.text, first.text);
        let other = adjust_with_key(&api, "key", &json!({"delta": 6, "reason": "delivery"})).await;
        let problem = other.problem(422);
        assert_eq!(
            problem["type"],
            "https://souk.test/problems/idempotency-key-reused"
        );
        api.shelf.sweep().await;
    }
    assert_eq!(api.shelf.levels("TEA").await, (6, 6, 0, 0));
    // The request may be repeated even after the product was removed.
    let delete = api
        .as_admin(Method::DELETE, "/v1/products/TEA")
        .header("if-match", "*");
    assert_eq!(TestResponse::of(delete).await.status, 204);
    assert_eq!(adjust_with_key(&api, "key", &body).await.text, first.text);
    adjust(&api, body).await.problem(404);
}

#[tokio::test]
async fn a_key_of_a_failed_adjustment_can_be_used_again() {
    let api = api().await;
    api.product("TEA", "Green Tea", 500, 1).await;
    let body = json!({"delta": -2, "reason": "broken"});
    adjust_with_key(&api, "key", &body).await.problem(409);
    adjust(&api, json!({"delta": 1, "reason": "count"}))
        .await
        .expect(200);
    assert_eq!(
        adjust_with_key(&api, "key", &body).await.expect(200)["on_hand"],
        0
    );
}

#[tokio::test]
async fn a_key_belongs_to_one_user_and_one_product() {
    let api = api().await;
    let other = api.issuer.token(contracts::UserId::generate(), &["admin"]);
    api.product("TEA", "Green Tea", 500, 0).await;
    api.product("COFFEE", "Coffee", 500, 0).await;
    let body = json!({"delta": 5, "reason": "delivery"});
    for (token, sku) in [(&api.admin, "TEA"), (&other, "TEA"), (&api.admin, "COFFEE")] {
        let path = format!("/v1/products/{sku}/stock-adjustments");
        let request = api.request(Method::POST, &path).bearer_auth(token);
        let response = TestResponse::of(request.header("idempotency-key", "key").json(&body)).await;
        assert_eq!(response.header("idempotency-replayed"), "");
        response.expect(200);
    }
    assert_eq!(api.shelf.levels("TEA").await.0, 10);
    assert_eq!(api.shelf.levels("COFFEE").await.0, 5);
}

/// The API with a database whose replies can be blocked once an adjustment has reached it.
async fn api_that_can_stall() -> (Api, Proxy, Shelf) {
    let direct = shelf(&[]).await;
    let proxy = Proxy::to(direct.url(), "findAndModify").await;
    let api = Api::on(Shelf::of(proxy.database(direct.url()).await)).await;
    api.product("TEA", "Green Tea", 500, 0).await;
    proxy.arm();
    (api, proxy, direct)
}

#[tokio::test]
async fn a_repeated_request_gets_409_while_the_first_is_in_flight_and_a_replay_afterwards() {
    let (api, proxy, direct) = api_that_can_stall().await;
    let body = json!({"delta": 5, "reason": "delivery"});
    let meanwhile = async {
        proxy.cut().await;
        let again = adjust_with_key(&api, "key", &body).await;
        assert_eq!(again.header("retry-after"), "1");
        let problem = again.problem(409);
        assert_eq!(problem["type"], "https://souk.test/problems/request-in-flight");
        proxy.open();
    };
    let (first, ()) = tokio::join!(adjust_with_key(&api, "key", &body), meanwhile);
    let again = adjust_with_key(&api, "key", &body).await;
    assert_eq!((first.status, again.status), (200, 200), "{}", first.text);
    assert_eq!(first.text, again.text);
    assert_eq!(direct.levels("TEA").await, (5, 5, 0, 0));
}

#[tokio::test]
async fn an_adjustment_that_was_applied_but_got_503_can_be_repeated() {
    let (api, proxy, direct) = api_that_can_stall().await;
    let body = json!({"delta": 5, "reason": "delivery"});
    let first = adjust_with_key(&api, "key", &body).await;
    assert!(!first.header("retry-after").is_empty());
    first.problem(503);
    proxy.open();
    let retry = async || {
        let again = adjust_with_key(&api, "key", &body).await;
        (again.status != 409).then_some(again)
    };
    let again = testkit::eventually("the first request has ended", Duration::from_secs(10), retry).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.expect(200)["on_hand"], 5);
    assert_eq!(direct.levels("TEA").await, (5, 5, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_adjustments_of_different_products_do_not_add_database_commands() {
    const PRODUCTS: usize = 16;
    let counted = CountedDatabase::with(&[]).await;
    let api = Api::on(Shelf::of(counted.shelf.db.clone())).await;
    for number in 0..=PRODUCTS {
        api.product(&format!("TEA-{number}"), "Green Tea", 500, 0).await;
    }
    let adjust = |number: usize| {
        let path = format!("/v1/products/TEA-{number}/stock-adjustments");
        let request = api.as_admin(Method::POST, &path).header("idempotency-key", "key");
        TestResponse::of(request.json(&json!({"delta": 5, "reason": "delivery"})))
    };
    let (alone, response) = counted.count_commands(adjust(PRODUCTS)).await;
    assert_eq!(response.status, 200);
    let (together, responses) = counted.count_commands(join_all((0..PRODUCTS).map(adjust))).await;
    for response in responses {
        assert_eq!(response.status, 200, "{}", response.text);
    }
    assert_eq!(together, PRODUCTS * alone, "{alone} commands each");
    // Each product is listed as in stock immediately, without the sweeper.
    let listed = api.get("/v1/products?in_stock=true&limit=100").await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), PRODUCTS + 1);
}
