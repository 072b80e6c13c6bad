//! Poison: kept, named as the reason of a parked saga, and sent again when an operator says so.

use contracts::{CommandId, OrderId, saga::queues};
use messaging::{Handler as _, Incoming, Outgoing};
use orders::dead_letters::bury::Undertaker;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    participants::{Live, PATIENCE, Script, live},
    support::{Answer, Shop, shop},
};

async fn letters(live: &Live, count: usize) -> Vec<Value> {
    eventually("dead letters", PATIENCE, async || {
        let listed = live.shop.admin_get("/v1/admin/dead-letters").await.expect(200);
        let items = listed["items"].as_array().unwrap().clone();
        (items.len() == count).then_some(items)
    })
    .await
}

#[tokio::test]
async fn a_command_that_cannot_be_read_parks_its_saga_until_it_is_redriven() {
    let live = live(&[("payments.authorize_payment.v1", Script::Choke)]).await;
    let order = live.shop.order().await;
    let (_, saga) = live.settled(order, "parked").await;
    let reason = saga["parked_reason"].as_str().unwrap();
    assert!(
        reason.contains("payments.authorize_payment.v1") && reason.contains("it does not decode"),
        "{reason}"
    );
    let told: Value = sqlx::query_scalar("SELECT data FROM order_events ORDER BY id DESC LIMIT 1")
        .fetch_one(live.shop.pool())
        .await
        .unwrap();
    assert_eq!(
        (&told["outcome"], &told["step"], &told["attempt"], &told["status"]),
        (
            &json!("parked"),
            &json!("authorize_payment"),
            &json!(1),
            &json!("pending")
        )
    );
    let letter = letters(&live, 1).await.remove(0);
    assert_eq!(
        (&letter["queue"], &letter["saga_id"]),
        (&json!(queues::PAYMENTS), &json!(order))
    );
    live.participants.told("payments.authorize_payment.v1", None);
    let path = format!(
        "/v1/admin/dead-letters/{}/redrive",
        letter["id"].as_str().unwrap()
    );
    let _ = live.shop.post(&path, &json!({})).await.problem(403);
    assert_eq!(
        live.shop
            .admin_post(&path, &json!({"reason": "fixed"}))
            .await
            .status,
        202
    );
    let (seen, _) = live.settled(order, "completed").await;
    assert_eq!(seen["status"], "confirmed");
    let _ = live
        .shop
        .admin_post(&path, &json!({"reason": "fixed"}))
        .await
        .problem(404);
    letters(&live, 0).await;
}

#[tokio::test]
async fn a_reply_that_is_no_reply_is_kept_and_deleted_and_its_neighbours_go_on() {
    let live = live(&[]).await;
    let poison = Outgoing {
        id: CommandId(uuid::Uuid::new_v4()).0,
        kind: "saga.reply.v1".into(),
        queue: queues::ORDERS.into(),
        correlation_id: uuid::Uuid::new_v4(),
        reply_to: None,
        body: json!({"outcome": "perhaps"}),
        trace: telemetry::TraceContext::default(),
    };
    live.shop.broker.publish(&poison).await.unwrap();
    let order = live.shop.order().await;
    live.settled(order, "completed").await;
    let letter = letters(&live, 1).await.remove(0);
    assert_eq!(letter["body"], r#"{"outcome":"perhaps"}"#);
    let path = format!(
        "/v1/admin/dead-letters/{}?reason=noise",
        letter["id"].as_str().unwrap()
    );
    assert_eq!(
        Answer::of(live.shop.as_admin(Method::DELETE, &path)).await.status,
        204
    );
    let kept: (String, uuid::Uuid) = sqlx::query_as("SELECT settled_reason, settled_by FROM dead_letters")
        .fetch_one(live.shop.pool())
        .await
        .unwrap();
    assert_eq!(kept, ("noise".to_owned(), live.shop.admin.0));
    let _ = Answer::of(live.shop.as_admin(Method::DELETE, &path))
        .await
        .problem(404);
}

/// How many dead letters there are, by how they were settled.
async fn settled(shop: &Shop) -> Vec<(Option<String>, i64)> {
    sqlx::query_as("SELECT settled_as, count(*) FROM dead_letters GROUP BY 1 ORDER BY 1")
        .fetch_all(shop.pool())
        .await
        .unwrap()
}

fn command(order: OrderId, step: &str, kind: &str, queue: &str) -> Incoming {
    Incoming {
        id: CommandId::derive(order.into(), step, "do").0,
        kind: kind.into(),
        queue: queue.into(),
        correlation_id: order.0,
        reply_to: None,
        body: b"{}".to_vec(),
        attempt: 6,
        death_reason: Some("it was tried too often".into()),
        trace: telemetry::TraceContext::default(),
    }
}

#[tokio::test]
async fn a_dead_letter_is_superseded_when_its_saga_moves_on() {
    let shop = shop().await;
    let order = shop.order().await;
    let reserve = command(
        order,
        "reserve_stock",
        "inventory.reserve_stock.v1",
        queues::INVENTORY,
    );
    let undertaker = Undertaker::new(shop.pool().clone());
    undertaker.handle(reserve.clone()).await.unwrap();
    assert_eq!(shop.saga(order).await["status"], "parked");
    assert_eq!(settled(&shop).await, [(None, 1)]);
    // Another copy of the command was performed.
    shop.done(order.into(), "reserve_stock", "do").await;
    assert_eq!(shop.saga(order).await["status"], "running");
    assert_eq!(settled(&shop).await, [(Some("superseded".into()), 1)]);
    // A copy that dies now is no reason to stop the saga.
    undertaker.handle(reserve).await.unwrap();
    assert_eq!(shop.saga(order).await["status"], "running");
    assert_eq!(settled(&shop).await, [(Some("superseded".into()), 2)]);
}

#[tokio::test]
async fn an_unread_notice_stays_for_an_operator_when_its_saga_moves_on() {
    let shop = shop().await;
    let order = shop.order().await;
    let undertaker = Undertaker::new(shop.pool().clone());
    let notice = Incoming {
        id: uuid::Uuid::new_v4(),
        ..command(order, "", "payments.payment_refunded.v1", queues::ORDERS)
    };
    undertaker.handle(notice).await.unwrap();
    let reserve = command(
        order,
        "reserve_stock",
        "inventory.reserve_stock.v1",
        queues::INVENTORY,
    );
    undertaker.handle(reserve).await.unwrap();
    shop.done(order.into(), "reserve_stock", "do").await;
    assert_eq!(shop.saga(order).await["status"], "running");
    assert_eq!(settled(&shop).await, [(Some("superseded".into()), 1), (None, 1)]);
}

#[tokio::test]
async fn a_command_that_its_saga_no_longer_awaits_is_not_redriven() {
    let shop = shop().await;
    let order = shop.order().await;
    let undertaker = Undertaker::new(shop.pool().clone());
    shop.done(order.into(), "reserve_stock", "do").await;
    let kind = "payments.authorize_payment.v1";
    undertaker
        .handle(command(order, "authorize_payment", kind, queues::PAYMENTS))
        .await
        .unwrap();
    // Its saga was given up by an older version of this service, which left the letter open.
    let given_up = "status = 'compensated', awaiting = NULL, parked_reason = NULL";
    shop.set(order.into(), given_up).await;
    let listed = shop.admin_get("/v1/admin/dead-letters").await.expect(200);
    let path = format!(
        "/v1/admin/dead-letters/{}/redrive",
        listed["items"][0]["id"].as_str().unwrap()
    );
    let before = shop.sent().await;
    let _ = shop
        .admin_post(&path, &json!({"reason": "again"}))
        .await
        .problem(409);
    assert_eq!(
        (shop.sent().await, settled(&shop).await),
        (before, vec![(None, 1)])
    );
}

#[tokio::test]
async fn a_redrive_before_the_pivot_starts_a_new_deadline() {
    let shop = shop().await;
    let order = shop.order().await;
    let reserve = command(
        order,
        "reserve_stock",
        "inventory.reserve_stock.v1",
        queues::INVENTORY,
    );
    Undertaker::new(shop.pool().clone())
        .handle(reserve)
        .await
        .unwrap();
    shop.set(order.into(), "deadline_at = now() - interval '1 hour'")
        .await;
    let listed = shop.admin_get("/v1/admin/dead-letters").await.expect(200);
    let path = format!(
        "/v1/admin/dead-letters/{}/redrive",
        listed["items"][0]["id"].as_str().unwrap()
    );
    let answer = shop.admin_post(&path, &json!({"reason": "fixed"})).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(shop.tick_when_due(order.into()).await, 1);
    assert_eq!(shop.saga(order).await["status"], "running", "it is not given up");
}
