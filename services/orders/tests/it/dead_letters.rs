//! Poison: kept, named as the reason of a parked saga, and sent again when an operator says so.

use contracts::{CommandId, saga::queues};
use messaging::Outgoing;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    participants::{Live, PATIENCE, Script, live},
    support::Answer,
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
