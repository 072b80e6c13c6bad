//! Messages that cannot be handled are stored as dead letters, park their sagas, and are redriven or deleted by an operator.

use contracts::{CommandId, OrderId, saga::queues};
use messaging::{Handler as _, Incoming, Outgoing};
use orders::dead_letters::consumer::DeadLetterConsumer;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    participants::{RunningShop, Script, TIMEOUT, running_shop},
    support::{Response, Shop, shop},
};

async fn letters(running: &RunningShop, count: usize) -> Vec<Value> {
    eventually("dead letters", TIMEOUT, async || {
        let listed = running.shop.admin_get("/v1/admin/dead-letters").await.expect(200);
        let items = listed["items"].as_array().unwrap().clone();
        (items.len() == count).then_some(items)
    })
    .await
}

#[tokio::test]
async fn a_command_that_cannot_be_decoded_parks_its_saga_until_it_is_redriven() {
    let running = running_shop(&[("payments.authorize_payment.v1", Script::FailToDecode)]).await;
    let order = running.shop.place_order().await;
    let (_, saga) = running.wait_for_status(order, "parked").await;
    let reason = saga["parked_reason"].as_str().unwrap();
    assert!(
        reason.contains("payments.authorize_payment.v1") && reason.contains("it does not decode"),
        "{reason}"
    );
    let event: Value = sqlx::query_scalar("SELECT data FROM order_events ORDER BY id DESC LIMIT 1")
        .fetch_one(running.shop.pool())
        .await
        .unwrap();
    assert_eq!(
        (
            &event["outcome"],
            &event["step"],
            &event["attempt"],
            &event["status"]
        ),
        (
            &json!("parked"),
            &json!("authorize_payment"),
            &json!(1),
            &json!("pending")
        )
    );
    let letter = letters(&running, 1).await.remove(0);
    assert_eq!(
        (&letter["queue"], &letter["saga_id"]),
        (&json!(queues::PAYMENTS), &json!(order))
    );
    running
        .participants
        .set_script("payments.authorize_payment.v1", None);
    let path = format!(
        "/v1/admin/dead-letters/{}/redrive",
        letter["id"].as_str().unwrap()
    );
    let _ = running.shop.post(&path, &json!({})).await.problem(403);
    assert_eq!(
        running
            .shop
            .admin_post(&path, &json!({"reason": "fixed"}))
            .await
            .status,
        202
    );
    let (view, _) = running.wait_for_status(order, "completed").await;
    assert_eq!(view["status"], "confirmed");
    let _ = running
        .shop
        .admin_post(&path, &json!({"reason": "fixed"}))
        .await
        .problem(404);
    letters(&running, 0).await;
}

#[tokio::test]
async fn a_malformed_reply_is_stored_and_deleted_and_other_replies_are_handled() {
    let running = running_shop(&[]).await;
    let poison = Outgoing {
        id: CommandId(uuid::Uuid::new_v4()).0,
        kind: "saga.reply.v1".into(),
        queue: queues::ORDERS.into(),
        correlation_id: uuid::Uuid::new_v4(),
        reply_to: None,
        body: json!({"outcome": "perhaps"}),
        trace: telemetry::TraceContext::default(),
    };
    running.shop.broker.publish(&poison).await.unwrap();
    let order = running.shop.place_order().await;
    running.wait_for_status(order, "completed").await;
    let letter = letters(&running, 1).await.remove(0);
    assert_eq!(letter["body"], r#"{"outcome":"perhaps"}"#);
    let path = format!(
        "/v1/admin/dead-letters/{}?reason=noise",
        letter["id"].as_str().unwrap()
    );
    assert_eq!(
        Response::of(running.shop.as_admin(Method::DELETE, &path))
            .await
            .status,
        204
    );
    let kept: (String, uuid::Uuid) = sqlx::query_as("SELECT settled_reason, settled_by FROM dead_letters")
        .fetch_one(running.shop.pool())
        .await
        .unwrap();
    assert_eq!(kept, ("noise".to_owned(), running.shop.admin.0));
    let _ = Response::of(running.shop.as_admin(Method::DELETE, &path))
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
    let order = shop.place_order().await;
    let reserve = command(
        order,
        "reserve_stock",
        "inventory.reserve_stock.v2",
        queues::INVENTORY,
    );
    let consumer = DeadLetterConsumer::new(shop.pool().clone(), shop.app.dispatcher.clone());
    consumer.handle(reserve.clone()).await.unwrap();
    assert_eq!(shop.saga(order).await["status"], "parked");
    assert_eq!(settled(&shop).await, [(None, 1)]);
    // Another copy of the command has been performed.
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    assert_eq!(shop.saga(order).await["status"], "running");
    assert_eq!(settled(&shop).await, [(Some("superseded".into()), 1)]);
    // A copy that is dead-lettered now does not park the saga.
    consumer.handle(reserve).await.unwrap();
    assert_eq!(shop.saga(order).await["status"], "running");
    assert_eq!(settled(&shop).await, [(Some("superseded".into()), 2)]);
}

#[tokio::test]
async fn a_dead_reply_to_an_earlier_command_does_not_park_its_saga() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let answered = CommandId::derive(order.into(), "reserve_stock", "do");
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    let late = Incoming {
        id: uuid::Uuid::new_v4(),
        reply_to: Some("a\0b".into()),
        body: json!({"command_id": answered, "outcome": "done"})
            .to_string()
            .into_bytes(),
        ..command(order, "", "saga.reply.v1", queues::ORDERS)
    };
    let consumer = DeadLetterConsumer::new(shop.pool().clone(), shop.app.dispatcher.clone());
    consumer.handle(late).await.unwrap();
    assert_eq!(shop.saga(order).await["status"], "running");
    assert_eq!(settled(&shop).await, [(Some("superseded".into()), 1)]);
}

#[tokio::test]
async fn the_dead_letters_of_a_saga_that_stays_parked_are_not_settled() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let consumer = DeadLetterConsumer::new(shop.pool().clone(), shop.app.dispatcher.clone());
    for _ in 0..2 {
        let malformed = Incoming {
            id: uuid::Uuid::new_v4(),
            ..command(order, "", "saga.reply.v1", queues::ORDERS)
        };
        consumer.handle(malformed).await.unwrap();
    }
    assert_eq!(shop.saga(order).await["status"], "parked");
    assert_eq!(settled(&shop).await, [(None, 2)]);
}

#[tokio::test]
async fn a_dead_notice_is_not_superseded_when_its_saga_moves_on() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let consumer = DeadLetterConsumer::new(shop.pool().clone(), shop.app.dispatcher.clone());
    let notice = Incoming {
        id: uuid::Uuid::new_v4(),
        ..command(order, "", "payments.payment_refunded.v1", queues::ORDERS)
    };
    consumer.handle(notice).await.unwrap();
    let reserve = command(
        order,
        "reserve_stock",
        "inventory.reserve_stock.v2",
        queues::INVENTORY,
    );
    consumer.handle(reserve).await.unwrap();
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    assert_eq!(shop.saga(order).await["status"], "running");
    assert_eq!(settled(&shop).await, [(Some("superseded".into()), 1), (None, 1)]);
}

#[tokio::test]
async fn a_command_that_its_saga_no_longer_awaits_is_not_redriven() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let consumer = DeadLetterConsumer::new(shop.pool().clone(), shop.app.dispatcher.clone());
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    let kind = "payments.authorize_payment.v1";
    consumer
        .handle(command(order, "authorize_payment", kind, queues::PAYMENTS))
        .await
        .unwrap();
    // An older version of this service compensated the saga and left the dead letter unsettled.
    let compensated = "status = 'compensated', awaiting = NULL, parked_reason = NULL";
    shop.update_saga(order.into(), compensated).await;
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
    let order = shop.place_order().await;
    let reserve = command(
        order,
        "reserve_stock",
        "inventory.reserve_stock.v2",
        queues::INVENTORY,
    );
    DeadLetterConsumer::new(shop.pool().clone(), shop.app.dispatcher.clone())
        .handle(reserve)
        .await
        .unwrap();
    shop.update_saga(order.into(), "deadline_at = now() - interval '1 hour'")
        .await;
    let listed = shop.admin_get("/v1/admin/dead-letters").await.expect(200);
    let path = format!(
        "/v1/admin/dead-letters/{}/redrive",
        listed["items"][0]["id"].as_str().unwrap()
    );
    let response = shop.admin_post(&path, &json!({"reason": "fixed"})).await;
    assert_eq!(response.status, 202, "{}", response.text);
    assert_eq!(shop.tick_when_due(order.into()).await, 1);
    assert_eq!(
        shop.saga(order).await["status"],
        "running",
        "the saga is not given up"
    );
}
