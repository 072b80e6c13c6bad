//! The fault switches: each has its effect while it is on, and the affected sagas finish after it is off.

use contracts::{
    CommandId, OrderId,
    saga::{Outcome, Reply},
};
use messaging::Handler as _;
use orders::{
    faults::{Fault, Faults, Quotes},
    inventory::Inventory,
};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    fulfilment::incoming,
    participants::{TIMEOUT, running_shop},
    prices::start_inventory,
    support::{Response, Shop, body, shop},
};

const PATH: &str = "/v1/admin/faults";

async fn put(shop: &Shop, name: &str, seconds: i64) -> Response {
    let request = shop.as_admin(Method::PUT, PATH);
    let body = json!({"name": name, "seconds": seconds, "reason": "a demonstration"});
    Response::of(request.json(&body)).await
}

async fn set(shop: &Shop, name: &str, seconds: i64) {
    put(shop, name, seconds).await.expect(200);
}

async fn switch(shop: &Shop, name: &str) -> Value {
    let listed = shop.admin_get(PATH).await.expect(200);
    let items = listed["items"].as_array().unwrap();
    items.iter().find(|item| item["name"] == name).unwrap().clone()
}

/// Replies to every command of a checkout from step `from` on, until the order is confirmed.
async fn finish(shop: &Shop, order: OrderId, from: usize) {
    let steps = [
        "reserve_stock",
        "authorize_payment",
        "pin_stock",
        "capture_payment",
        "commit_stock",
    ];
    for step in &steps[from..] {
        shop.reply_done(order.into(), step, "do").await;
    }
    assert_eq!(shop.get_order(order).await["status"], "confirmed");
}

#[tokio::test]
async fn a_switch_is_listed_with_operator_reason_and_end() {
    let shop = shop().await;
    let listed = shop.admin_get(PATH).await.expect(200);
    let off = listed["items"].as_array().unwrap();
    assert_eq!(off.len(), Fault::ALL.len());
    assert!(
        off.iter()
            .all(|item| item["until"].is_null() && item["set_by"].is_null())
    );
    set(&shop, "payments_unreachable", 60).await;
    let on = switch(&shop, "payments_unreachable").await;
    assert_eq!(
        (&on["set_by"], &on["reason"]),
        (&json!(shop.admin), &json!("a demonstration"))
    );
    assert_eq!(on["title"], "Payments is unreachable");
    assert!(on["description"].as_str().unwrap().contains("lost"));
    let seconds_left: f64 = sqlx::query_scalar("SELECT extract(epoch FROM $1::timestamptz - now())::float8")
        .bind(on["until"].as_str().unwrap())
        .fetch_one(shop.pool())
        .await
        .unwrap();
    assert!((50.0..=60.0).contains(&seconds_left), "{seconds_left}");
    // The public list does not show the operator and the reason.
    let public = Response::of(shop.request(Method::GET, "/v1/faults"))
        .await
        .expect(200);
    let expected = json!([{"name": "payments_unreachable", "title": on["title"], "until": on["until"]}]);
    assert_eq!(public["items"], expected);
    set(&shop, "payments_unreachable", 0).await;
    assert_eq!(switch(&shop, "payments_unreachable").await["until"], json!(null));
    let public = Response::of(shop.request(Method::GET, "/v1/faults"))
        .await
        .expect(200);
    assert_eq!(public, json!({"items": []}));
    let log: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT set_by FROM faults")
        .fetch_all(shop.pool())
        .await
        .unwrap();
    assert_eq!(log, [shop.admin.0; 2], "every change is stored");
}

#[tokio::test]
async fn only_operators_set_known_faults_for_a_limited_time() {
    let shop = shop().await;
    let _ = shop.get(PATH).await.problem(403);
    let request = shop.as_user(shop.user, Method::PUT, PATH);
    let body = json!({"name": "replies_lost", "seconds": 1, "reason": "mine"});
    let _ = Response::of(request.json(&body)).await.problem(403);
    let _ = Response::of(shop.request(Method::PUT, PATH).json(&body))
        .await
        .problem(401);
    assert_eq!(put(&shop, "gravity", 1).await.pointers(), ["/name"]);
    assert_eq!(put(&shop, "replies_lost", 901).await.pointers(), ["/seconds"]);
    assert_eq!(put(&shop, "replies_lost", -1).await.pointers(), ["/seconds"]);
    for (body, pointer) in [
        (
            json!({"name": "replies_lost", "seconds": 1, "reason": " "}),
            "/reason",
        ),
        (json!({"name": "replies_lost", "seconds": 1}), "/reason"),
        (
            json!({"name": "replies_lost", "seconds": 1, "reason": "x", "forever": true}),
            "/forever",
        ),
    ] {
        let response = Response::of(shop.as_admin(Method::PUT, PATH).json(&body)).await;
        assert_eq!(response.pointers(), [pointer]);
    }
    assert_eq!(switch(&shop, "replies_lost").await["until"], json!(null));
}

#[tokio::test]
async fn outside_demo_mode_there_are_no_switches() {
    let mut shop = shop().await;
    set(&shop, "quotes_unavailable", 60).await;
    let pool = shop.pool().clone();
    let inventory = Inventory::new(&start_inventory().await).unwrap();
    shop.switch_replica(|app| {
        app.faults = Faults::new(pool, false);
        app.quotes = Quotes::new(inventory, app.faults.clone());
    })
    .await;
    shop.app.faults.refresh().await.unwrap();
    for response in [
        shop.admin_get(PATH).await,
        put(&shop, "quotes_unavailable", 60).await,
    ] {
        let problem = response.problem(404);
        assert!(problem["type"].as_str().unwrap().ends_with("/not-in-demo-mode"));
    }
    assert_eq!(shop.get("/v1/faults").await.expect(200), json!({"items": []}));
    shop.place_order().await;
}

#[tokio::test]
async fn a_switch_turns_off_automatically_on_every_replica() {
    let shop = shop().await;
    let other = Faults::new(shop.pool().clone(), true);
    tokio::spawn(other.clone().run(shop.stop.clone()));
    set(&shop, "commands_duplicated", 5).await;
    let has_state = |on| {
        let other = &other;
        async move || (other.has(Fault::CommandsDuplicated) == on).then_some(())
    };
    eventually("the other replica has read the switch", TIMEOUT, has_state(true)).await;
    assert!(!other.has(Fault::RepliesLost));
    eventually("the switch is off again", TIMEOUT, has_state(false)).await;
    assert_eq!(switch(&shop, "commands_duplicated").await["until"], json!(null));
}

#[tokio::test]
async fn commands_to_an_unreachable_service_are_lost_until_it_is_reachable_again() {
    let shop = shop().await;
    set(&shop, "inventory_unreachable", 900).await;
    let order = shop.place_order().await;
    shop.tick_when_due(order.into()).await;
    assert!(shop.sent().await.is_empty());
    assert_eq!(shop.saga(order).await["steps"][0]["attempts"], 2);
    set(&shop, "inventory_unreachable", 0).await;
    set(&shop, "payments_unreachable", 900).await;
    shop.tick_when_due(order.into()).await;
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    assert_eq!(shop.sent().await, ["inventory.reserve_stock.v2"]);
    set(&shop, "payments_unreachable", 0).await;
    shop.tick_when_due(order.into()).await;
    assert_eq!(
        shop.sent().await,
        ["inventory.reserve_stock.v2", "payments.authorize_payment.v1"]
    );
    finish(&shop, order, 1).await;
}

#[tokio::test]
async fn a_duplicated_command_moves_the_saga_once() {
    let running = running_shop(&[]).await;
    set(&running.shop, "commands_duplicated", 900).await;
    let order = running.shop.place_order().await;
    let (view, saga) = running.wait_for_status(order, "completed").await;
    assert_eq!(view["status"], "confirmed");
    assert!(
        saga["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["attempts"] == 1)
    );
    eventually("each command was received three times", TIMEOUT, async || {
        (running.participants.received.lock().unwrap().len() == 15).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_repeated_reply_is_handled_after_the_first_was_lost() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let reply = Reply {
        command_id: CommandId::derive(order.into(), "reserve_stock", "do"),
        outcome: Outcome::Done,
    };
    let reply = || incoming(order, &reply);
    set(&shop, "replies_lost", 900).await;
    shop.replies.handle(reply()).await.unwrap();
    assert_eq!(shop.saga(order).await["steps"][0]["state"], "running");
    set(&shop, "replies_lost", 0).await;
    shop.replies.handle(reply()).await.unwrap();
    finish(&shop, order, 1).await;
}

#[tokio::test]
async fn no_order_is_placed_while_prices_are_unavailable() {
    let shop = shop().await;
    set(&shop, "quotes_unavailable", 900).await;
    let refused = shop.post("/v1/orders", &body(&[("TEA-1", 1)])).await;
    assert!(!refused.header("retry-after").is_empty());
    let _ = refused.problem(503);
    set(&shop, "quotes_unavailable", 0).await;
    let order = shop.place_order().await;
    finish(&shop, order, 0).await;
}
