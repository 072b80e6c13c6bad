//! `/v1/products/{sku}/stock` and its adjustments.

use std::time::Duration;

use bson::doc;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    proxy::Proxy,
    slow::Counted,
    support::{Answer, Api, Shelf, api, done, shelf},
};

const STOCK: &str = "/v1/products/TEA/stock";
const ADJUSTMENTS: &str = "/v1/products/TEA/stock-adjustments";

async fn adjust(api: &Api, body: Value) -> Answer {
    adjust_as(api, &Uuid::now_v7().to_string(), &body).await
}

/// With that `Idempotency-Key`.
async fn adjust_as(api: &Api, key: &str, body: &Value) -> Answer {
    let request = api.by_admin(Method::POST, ADJUSTMENTS);
    Answer::of(request.header("idempotency-key", key).json(body)).await
}

#[tokio::test]
async fn an_adjustment_is_counted_and_recorded_with_who_and_why() {
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
    let read = Answer::of(api.by_admin(Method::GET, STOCK)).await.expect(200);
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
async fn no_adjustment_is_lost_among_others() {
    let api = api().await;
    api.product("TEA", "Green Tea", 500, 10).await;
    let changes = (0..20).map(|n| {
        adjust(
            &api,
            json!({"delta": if n % 2 == 0 { 2 } else { -1 }, "reason": "count"}),
        )
    });
    for answer in join_all(changes).await {
        answer.expect(200);
    }
    assert_eq!(api.shelf.levels("TEA").await, (20, 20, 0, 0));
}

#[tokio::test]
async fn every_bad_adjustment_is_refused_with_its_field() {
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
    let nowhere = api.by_admin(Method::POST, "/v1/products/NOPE/stock-adjustments");
    let nowhere = nowhere.header("idempotency-key", "a");
    Answer::of(nowhere.json(&json!({"delta": 1, "reason": "x"})))
        .await
        .problem(404);
    Answer::of(api.by_admin(Method::GET, "/v1/products/NOPE/stock"))
        .await
        .problem(404);
    assert_eq!(api.shelf.levels("TEA").await, (1, 1, 0, 0));
}

#[tokio::test]
async fn an_adjustment_without_one_usable_key_is_refused() {
    let api = api().await;
    api.product("TEA", "Green Tea", 500, 1).await;
    let body = json!({"delta": 1, "reason": "count"});
    let request = || api.by_admin(Method::POST, ADJUSTMENTS).json(&body);
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
        let problem = Answer::of(request).await.problem(400);
        assert_eq!(
            problem["type"],
            "https://souk.test/problems/idempotency-key-required"
        );
    }
    assert_eq!(api.shelf.levels("TEA").await, (1, 1, 0, 0));
}

#[tokio::test]
async fn a_repeated_adjustment_is_counted_once_and_answered_the_same() {
    let api = api().await;
    api.product("TEA", "Green Tea", 500, 0).await;
    let body = json!({"delta": 5, "reason": "delivery"});
    let first = adjust_as(&api, "key", &body).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, ""));
    // What happens meanwhile does not change the answer, nor that the entry moves from the journal to the ledger.
    adjust(&api, json!({"delta": 1, "reason": "count"}))
        .await
        .expect(200);
    for _ in 0..2 {
        let again = adjust_as(&api, "key", &body).await;
        assert_eq!(
            (again.status, again.header("idempotency-replayed")),
            (200, "true")
        );
        assert_eq!(again.header("content-type"), first.header("content-type"));
        assert_eq!(again.text, first.text);
        let other = adjust_as(&api, "key", &json!({"delta": 6, "reason": "delivery"})).await;
        let problem = other.problem(422);
        assert_eq!(
            problem["type"],
            "https://souk.test/problems/idempotency-key-reused"
        );
        api.shelf.sweep().await;
    }
    assert_eq!(api.shelf.levels("TEA").await, (6, 6, 0, 0));
    // The product may be gone by the time that the request is repeated.
    let delete = api
        .by_admin(Method::DELETE, "/v1/products/TEA")
        .header("if-match", "*");
    assert_eq!(Answer::of(delete).await.status, 204);
    assert_eq!(adjust_as(&api, "key", &body).await.text, first.text);
    adjust(&api, body).await.problem(404);
}

#[tokio::test]
async fn a_key_that_was_refused_can_be_used_when_the_reason_is_gone() {
    let api = api().await;
    api.product("TEA", "Green Tea", 500, 1).await;
    let body = json!({"delta": -2, "reason": "broken"});
    adjust_as(&api, "key", &body).await.problem(409);
    adjust(&api, json!({"delta": 1, "reason": "count"}))
        .await
        .expect(200);
    assert_eq!(adjust_as(&api, "key", &body).await.expect(200)["on_hand"], 0);
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
        let answer = Answer::of(request.header("idempotency-key", "key").json(&body)).await;
        assert_eq!(answer.header("idempotency-replayed"), "");
        answer.expect(200);
    }
    assert_eq!(api.shelf.levels("TEA").await.0, 10);
    assert_eq!(api.shelf.levels("COFFEE").await.0, 5);
}

/// The API with a database whose answers can be held up once an adjustment has reached it.
async fn api_that_can_stall() -> (Api, Proxy, Shelf) {
    let direct = shelf(&[]).await;
    let proxy = Proxy::to(direct.url(), "findAndModify").await;
    let api = Api::on(Shelf::of(proxy.database(direct.url()).await)).await;
    api.product("TEA", "Green Tea", 500, 0).await;
    proxy.arm();
    (api, proxy, direct)
}

#[tokio::test]
async fn a_repetition_is_409_while_the_first_is_in_flight_and_a_replay_afterwards() {
    let (api, proxy, direct) = api_that_can_stall().await;
    let body = json!({"delta": 5, "reason": "delivery"});
    let meanwhile = async {
        proxy.cut().await;
        let again = adjust_as(&api, "key", &body).await;
        assert_eq!(again.header("retry-after"), "1");
        let problem = again.problem(409);
        assert_eq!(problem["type"], "https://souk.test/problems/request-in-flight");
        proxy.open();
    };
    let (first, ()) = tokio::join!(adjust_as(&api, "key", &body), meanwhile);
    let again = adjust_as(&api, "key", &body).await;
    assert_eq!((first.status, again.status), (200, 200), "{}", first.text);
    assert_eq!(first.text, again.text);
    assert_eq!(direct.levels("TEA").await, (5, 5, 0, 0));
}

#[tokio::test]
async fn an_adjustment_that_was_answered_503_after_it_was_booked_can_be_repeated() {
    let (api, proxy, direct) = api_that_can_stall().await;
    let body = json!({"delta": 5, "reason": "delivery"});
    let first = adjust_as(&api, "key", &body).await;
    assert!(!first.header("retry-after").is_empty());
    first.problem(503);
    proxy.open();
    let answered = async || {
        let again = adjust_as(&api, "key", &body).await;
        (again.status != 409).then_some(again)
    };
    let again = testkit::eventually("the first has ended", Duration::from_secs(10), answered).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.expect(200)["on_hand"], 5);
    assert_eq!(direct.levels("TEA").await, (5, 5, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adjustments_of_many_products_at_once_do_not_pay_for_each_other() {
    const PRODUCTS: usize = 16;
    let counted = Counted::with(&[]).await;
    let api = Api::on(Shelf::of(counted.shelf.db.clone())).await;
    for number in 0..=PRODUCTS {
        api.product(&format!("TEA-{number}"), "Green Tea", 500, 0).await;
    }
    let adjust = |number: usize| {
        let path = format!("/v1/products/TEA-{number}/stock-adjustments");
        let request = api.by_admin(Method::POST, &path).header("idempotency-key", "key");
        Answer::of(request.json(&json!({"delta": 5, "reason": "delivery"})))
    };
    let (alone, answer) = counted.commands_of(adjust(PRODUCTS)).await;
    assert_eq!(answer.status, 200);
    let (together, answers) = counted.commands_of(join_all((0..PRODUCTS).map(adjust))).await;
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(together, PRODUCTS * alone, "{alone} commands each");
    // Each is in stock at once, without the sweeper.
    let listed = api.get("/v1/products?in_stock=true&limit=100").await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), PRODUCTS + 1);
}
