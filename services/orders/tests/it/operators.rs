//! Operators list, retry, compensate and resolve sagas; the operator and the reason are logged.

use contracts::OrderId;
use serde_json::{Value, json};

use crate::{
    returns::{return_items, saga_of},
    support::{Shop, shop, steps},
};

async fn steer(shop: &Shop, order: OrderId, action: &str, body: Value) -> crate::support::Response {
    shop.admin_post(&format!("/v1/admin/sagas/{order}/{action}"), &body)
        .await
}

fn reason() -> Value {
    json!({"reason": "ticket 7"})
}

async fn parked_after_the_pivot(shop: &Shop) -> OrderId {
    let order = shop.place_order().await;
    for step in [
        "reserve_stock",
        "authorize_payment",
        "pin_stock",
        "capture_payment",
    ] {
        shop.reply_done(order.into(), step, "do").await;
    }
    shop.reply_refused(order.into(), "commit_stock", "do", "no_hold")
        .await;
    order
}

#[tokio::test]
async fn parked_sagas_are_listed_with_step_and_reason() {
    let shop = shop().await;
    shop.place_order().await;
    let order = parked_after_the_pivot(&shop).await;
    let listed = shop.admin_get("/v1/admin/sagas?status=parked").await.expect(200);
    insta::assert_json_snapshot!(listed, {
        ".items[].id" => "[id]", ".items[].order_id" => "[id]", ".items[].awaiting" => "[id]",
        ".items[].created_at" => "[time]", ".items[].updated_at" => "[time]",
    });
    assert_eq!(listed["items"][0]["id"], json!(order));
    assert_eq!(
        shop.admin_get("/v1/admin/sagas").await.expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let _ = shop.admin_get("/v1/admin/sagas?status=lost").await.problem(422);
    let unknown = OrderId::generate();
    let _ = shop
        .admin_get(&format!("/v1/admin/sagas/{unknown}"))
        .await
        .problem(404);
    let _ = steer(&shop, unknown, "retry", reason()).await.problem(404);
}

#[tokio::test]
async fn a_parked_saga_is_retried_and_continues() {
    let shop = shop().await;
    let order = parked_after_the_pivot(&shop).await;
    assert_eq!(
        steer(&shop, order, "retry", json!({"reason": " "}))
            .await
            .pointers(),
        ["/reason"]
    );
    assert_eq!(
        steer(&shop, order, "retry", json!({})).await.pointers(),
        ["/reason"]
    );
    let retried = steer(&shop, order, "retry", reason()).await.expect(202);
    assert_eq!(retried["status"], "running");
    assert_eq!(
        shop.sent()
            .await
            .iter()
            .filter(|kind| *kind == "inventory.commit_stock.v1")
            .count(),
        2
    );
    shop.reply_done(order.into(), "commit_stock", "do").await;
    assert_eq!(shop.get_order(order).await["status"], "confirmed");
    let _ = steer(&shop, order, "retry", reason()).await.problem(409);
    let logged: (uuid::Uuid, String) =
        sqlx::query_as("SELECT actor, reason FROM saga_log WHERE outcome = 'retried'")
            .fetch_one(shop.pool())
            .await
            .unwrap();
    assert_eq!(logged, (shop.admin.0, "ticket 7".to_owned()));
}

#[tokio::test]
async fn a_parked_saga_is_resolved_with_the_actual_outcome() {
    let shop = shop().await;
    let order = parked_after_the_pivot(&shop).await;
    let refused = json!({"reason": "ticket 7", "outcome": "refused"});
    let _ = steer(&shop, order, "resolve", refused).await.problem(409);
    let _ = steer(&shop, order, "compensate", reason()).await.problem(409);
    let resolved = steer(&shop, order, "resolve", reason()).await.expect(202);
    assert_eq!(resolved["status"], "completed");
    assert_eq!(resolved["steps"][4]["actor"], json!(shop.admin));
    assert_eq!(shop.get_order(order).await["status"], "confirmed");
    let _ = steer(&shop, order, "resolve", reason()).await.problem(409);
}

/// Places an order and parks its checkout after these steps, as a dead letter does, with its deadline long past.
async fn parked_at(shop: &Shop, done_before: &[&str]) -> OrderId {
    let order = shop.place_order().await;
    for step in done_before {
        shop.reply_done(order.into(), step, "do").await;
    }
    let parked = "status = 'parked', parked_reason = 'dead letter', deadline_at = now() - interval '1 hour'";
    shop.update_saga(order.into(), parked).await;
    order
}

#[tokio::test]
async fn a_retry_before_the_pivot_starts_a_new_deadline() {
    let shop = shop().await;
    let order = parked_at(&shop, &["reserve_stock"]).await;
    steer(&shop, order, "retry", reason()).await.expect(202);
    assert_eq!(shop.tick_when_due(order.into()).await, 1);
    assert_eq!(
        shop.saga(order).await["status"],
        "running",
        "the saga is not given up"
    );
    let seconds_left: f64 =
        sqlx::query_scalar("SELECT extract(epoch FROM deadline_at - now())::float8 FROM sagas")
            .fetch_one(shop.pool())
            .await
            .unwrap();
    assert!((115.0..=120.0).contains(&seconds_left), "{seconds_left}");
}

#[tokio::test]
async fn a_step_that_is_resolved_as_refused_is_undone_too() {
    let shop = shop().await;
    let order = parked_at(&shop, &["reserve_stock"]).await;
    let refused = json!({"reason": "ticket 7", "outcome": "refused"});
    let saga = steer(&shop, order, "resolve", refused).await.expect(202);
    assert_eq!(saga["status"], "compensating");
    assert_eq!(shop.sent().await.last().unwrap(), "payments.void_payment.v1");
    // The provider performs the authorization after all.
    shop.reply_done(order.into(), "authorize_payment", "do").await;
    for step in ["authorize_payment", "reserve_stock"] {
        shop.reply_done(order.into(), step, "undo").await;
    }
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["status"], &view["reason"], &view["payment_status"]),
        (&json!("rejected"), &json!("payment_declined"), &json!("voided"))
    );
    assert_eq!(steps(&shop.saga(order).await)[1], "do authorize_payment refused");
}

#[tokio::test]
async fn a_payment_that_may_still_be_performed_cannot_be_resolved_as_refused() {
    let shop = shop().await;
    let refused = json!({"reason": "ticket 7", "outcome": "refused"});
    let order = parked_at(&shop, &["reserve_stock", "authorize_payment", "pin_stock"]).await;
    let _ = steer(&shop, order, "resolve", refused.clone()).await.problem(409);
    let bought = shop.confirmed_order().await;
    let return_saga = saga_of(&return_items(&shop, bought, &[("TEA-1", 1)]).await);
    shop.update_saga(return_saga, "status = 'parked', parked_reason = 'dead letter'")
        .await;
    let _ = steer(&shop, OrderId(return_saga.0), "resolve", refused)
        .await
        .problem(409);
}

#[tokio::test]
async fn a_parked_saga_that_is_refused_again_is_unchanged() {
    let shop = shop().await;
    let order = parked_after_the_pivot(&shop).await;
    let count = async || -> i64 {
        sqlx::query_scalar("SELECT (SELECT count(*) FROM saga_log) + (SELECT count(*) FROM order_events)")
            .fetch_one(shop.pool())
            .await
            .unwrap()
    };
    let before = (shop.saga(order).await, count().await);
    shop.reply_refused(order.into(), "commit_stock", "do", "no_hold")
        .await;
    assert_eq!((shop.saga(order).await, count().await), before);
    shop.reply_done(order.into(), "commit_stock", "do").await;
    assert_eq!(
        shop.get_order(order).await["status"],
        "confirmed",
        "a late reply still moves a parked saga"
    );
}

#[tokio::test]
async fn a_saga_can_be_compensated_until_its_pivot() {
    let shop = shop().await;
    let order = shop.place_order().await;
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    let _ = steer(&shop, order, "resolve", reason()).await.problem(409);
    let compensating = steer(&shop, order, "compensate", reason()).await.expect(202);
    assert_eq!(compensating["status"], "compensating");
    let _ = steer(&shop, order, "compensate", reason()).await.problem(409);
    for step in ["authorize_payment", "reserve_stock"] {
        shop.reply_done(order.into(), step, "undo").await;
    }
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["status"], &view["reason"]),
        (&json!("cancelled"), &json!("cancelled_by_operator"))
    );
    let saga = shop.saga(order).await;
    assert_eq!(steps(&saga)[1], "do authorize_payment silent");
    assert_eq!(
        (&saga["steps"][1]["reason"], &saga["steps"][1]["actor"]),
        (&json!("ticket 7"), &json!(shop.admin))
    );
}

#[tokio::test]
async fn shoppers_cannot_steer_sagas() {
    let shop = shop().await;
    let order = shop.place_order().await;
    for action in ["retry", "compensate", "resolve"] {
        let _ = shop
            .post(&format!("/v1/admin/sagas/{order}/{action}"), &reason())
            .await
            .problem(403);
    }
}
