//! Operators: sagas listed, retried, compensated and resolved, with who and why.

use contracts::OrderId;
use serde_json::{Value, json};

use crate::{
    returns::{ask, saga_of},
    support::{Shop, shop, steps},
};

async fn steer(shop: &Shop, order: OrderId, what: &str, body: Value) -> crate::support::Answer {
    shop.admin_post(&format!("/v1/admin/sagas/{order}/{what}"), &body)
        .await
}

fn why() -> Value {
    json!({"reason": "ticket 7"})
}

async fn parked_after_the_pivot(shop: &Shop) -> OrderId {
    let order = shop.order().await;
    for step in [
        "reserve_stock",
        "authorize_payment",
        "pin_stock",
        "capture_payment",
    ] {
        shop.done(order.into(), step, "do").await;
    }
    shop.refuse(order.into(), "commit_stock", "do", "no_hold").await;
    order
}

#[tokio::test]
async fn parked_sagas_are_listed_with_what_is_known() {
    let shop = shop().await;
    shop.order().await;
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
    let _ = steer(&shop, unknown, "retry", why()).await.problem(404);
}

#[tokio::test]
async fn a_parked_saga_is_retried_and_goes_on() {
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
    let retried = steer(&shop, order, "retry", why()).await.expect(202);
    assert_eq!(retried["status"], "running");
    assert_eq!(
        shop.sent()
            .await
            .iter()
            .filter(|kind| *kind == "inventory.commit_stock.v1")
            .count(),
        2
    );
    shop.done(order.into(), "commit_stock", "do").await;
    assert_eq!(shop.see(order).await["status"], "confirmed");
    let _ = steer(&shop, order, "retry", why()).await.problem(409);
    let logged: (uuid::Uuid, String) =
        sqlx::query_as("SELECT actor, reason FROM saga_log WHERE outcome = 'retried'")
            .fetch_one(shop.pool())
            .await
            .unwrap();
    assert_eq!(logged, (shop.admin.0, "ticket 7".to_owned()));
}

#[tokio::test]
async fn a_parked_saga_is_resolved_by_what_was_found_out() {
    let shop = shop().await;
    let order = parked_after_the_pivot(&shop).await;
    let refused = json!({"reason": "ticket 7", "outcome": "refused"});
    let _ = steer(&shop, order, "resolve", refused).await.problem(409);
    let _ = steer(&shop, order, "compensate", why()).await.problem(409);
    let resolved = steer(&shop, order, "resolve", why()).await.expect(202);
    assert_eq!(resolved["status"], "completed");
    assert_eq!(resolved["steps"][4]["actor"], json!(shop.admin));
    assert_eq!(shop.see(order).await["status"], "confirmed");
    let _ = steer(&shop, order, "resolve", why()).await.problem(409);
}

/// A saga that waits for an operator at `step`, as a dead letter leaves it, long after its deadline.
async fn parked_at(shop: &Shop, done_before: &[&str]) -> OrderId {
    let order = shop.order().await;
    for step in done_before {
        shop.done(order.into(), step, "do").await;
    }
    let long_ago =
        "status = 'parked', parked_reason = 'dead letter', deadline_at = now() - interval '1 hour'";
    shop.set(order.into(), long_ago).await;
    order
}

#[tokio::test]
async fn a_retry_before_the_pivot_starts_a_new_deadline() {
    let shop = shop().await;
    let order = parked_at(&shop, &["reserve_stock"]).await;
    steer(&shop, order, "retry", why()).await.expect(202);
    assert_eq!(shop.tick_when_due(order.into()).await, 1);
    assert_eq!(shop.saga(order).await["status"], "running", "it is not given up");
    let left: f64 = sqlx::query_scalar("SELECT extract(epoch FROM deadline_at - now())::float8 FROM sagas")
        .fetch_one(shop.pool())
        .await
        .unwrap();
    assert!((115.0..=120.0).contains(&left), "{left}");
}

#[tokio::test]
async fn a_step_that_is_resolved_as_refused_is_undone_too() {
    let shop = shop().await;
    let order = parked_at(&shop, &["reserve_stock"]).await;
    let refused = json!({"reason": "ticket 7", "outcome": "refused"});
    let saga = steer(&shop, order, "resolve", refused).await.expect(202);
    assert_eq!(saga["status"], "compensating");
    assert_eq!(shop.sent().await.last().unwrap(), "payments.void_payment.v1");
    // The provider answers after all.
    shop.done(order.into(), "authorize_payment", "do").await;
    for step in ["authorize_payment", "reserve_stock"] {
        shop.done(order.into(), step, "undo").await;
    }
    let seen = shop.see(order).await;
    assert_eq!(
        (&seen["status"], &seen["reason"], &seen["payment_status"]),
        (&json!("rejected"), &json!("payment_declined"), &json!("voided"))
    );
    assert_eq!(steps(&shop.saga(order).await)[1], "do authorize_payment refused");
}

#[tokio::test]
async fn money_that_may_still_move_cannot_be_resolved_as_refused() {
    let shop = shop().await;
    let refused = json!({"reason": "ticket 7", "outcome": "refused"});
    let order = parked_at(&shop, &["reserve_stock", "authorize_payment", "pin_stock"]).await;
    let _ = steer(&shop, order, "resolve", refused.clone()).await.problem(409);
    let bought = shop.confirmed().await;
    let back = saga_of(&ask(&shop, bought, &[("TEA-1", 1)]).await);
    shop.set(back, "status = 'parked', parked_reason = 'dead letter'")
        .await;
    let _ = steer(&shop, OrderId(back.0), "resolve", refused)
        .await
        .problem(409);
}

#[tokio::test]
async fn a_parked_saga_that_is_refused_again_stays_as_it_is() {
    let shop = shop().await;
    let order = parked_after_the_pivot(&shop).await;
    let count = async || -> i64 {
        sqlx::query_scalar("SELECT (SELECT count(*) FROM saga_log) + (SELECT count(*) FROM order_events)")
            .fetch_one(shop.pool())
            .await
            .unwrap()
    };
    let before = (shop.saga(order).await, count().await);
    shop.refuse(order.into(), "commit_stock", "do", "no_hold").await;
    assert_eq!((shop.saga(order).await, count().await), before);
    shop.done(order.into(), "commit_stock", "do").await;
    assert_eq!(
        shop.see(order).await["status"],
        "confirmed",
        "a late answer still counts"
    );
}

#[tokio::test]
async fn a_saga_is_compensated_until_its_pivot() {
    let shop = shop().await;
    let order = shop.order().await;
    shop.done(order.into(), "reserve_stock", "do").await;
    let _ = steer(&shop, order, "resolve", why()).await.problem(409);
    let back = steer(&shop, order, "compensate", why()).await.expect(202);
    assert_eq!(back["status"], "compensating");
    let _ = steer(&shop, order, "compensate", why()).await.problem(409);
    for step in ["authorize_payment", "reserve_stock"] {
        shop.done(order.into(), step, "undo").await;
    }
    let seen = shop.see(order).await;
    assert_eq!(
        (&seen["status"], &seen["reason"]),
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
async fn shoppers_steer_nothing() {
    let shop = shop().await;
    let order = shop.order().await;
    for what in ["retry", "compensate", "resolve"] {
        let _ = shop
            .post(&format!("/v1/admin/sagas/{order}/{what}"), &why())
            .await
            .problem(403);
    }
}
