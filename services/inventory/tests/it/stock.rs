//! `/v1/products/{sku}/stock` and its adjustments.

use bson::doc;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, api, done};

const STOCK: &str = "/v1/products/TEA/stock";
const ADJUSTMENTS: &str = "/v1/products/TEA/stock-adjustments";

async fn adjust(api: &Api, body: Value) -> Answer {
    Answer::of(api.by_admin(Method::POST, ADJUSTMENTS).json(&body)).await
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
    let nowhere = "/v1/products/NOPE/stock-adjustments";
    Answer::of(
        api.by_admin(Method::POST, nowhere)
            .json(&json!({"delta": 1, "reason": "x"})),
    )
    .await
    .problem(404);
    Answer::of(api.by_admin(Method::GET, "/v1/products/NOPE/stock"))
        .await
        .problem(404);
    assert_eq!(api.shelf.levels("TEA").await, (1, 1, 0, 0));
}
