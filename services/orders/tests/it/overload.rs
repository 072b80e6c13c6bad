//! Overload: a limited number of checkouts is in flight, later ones wait in order, and new orders are refused once too many
//! wait. A command that is still in a queue is not resent.

use contracts::{OrderId, SagaId, saga::queues};
use orders::saga::overdue::Backlog;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::{
    returns,
    support::{Response, Shop, body, shop, steps},
};

/// Maximum number of checkouts in flight, see docs/adr/0013.
const IN_FLIGHT: usize = 64;

/// Adds `count` copies of `order` and its saga: other checkouts that are in flight (`attempts` 1) or waiting (0).
async fn add_checkouts(shop: &Shop, order: OrderId, count: i64, attempts: i32, age: &str) {
    let sql = format!(
        "WITH copies AS (
             INSERT INTO orders SELECT gen_random_uuid(), user_id, status, reason, payment_id, payment_method,
                 payment_status, fulfilment_status, amount, refunded, currency, shipping_address, trace_id
             FROM orders, generate_series(1, $2) WHERE id = $1 RETURNING id)
         INSERT INTO sagas (id, order_id, definition, status, step_name, direction, awaiting, attempts, next_at,
             deadline_at, data, created_at)
         SELECT copies.id, copies.id, definition, status, step_name, direction, awaiting, $3,
             now() + interval '1 hour', now() + interval '1 hour', data, now() - interval '{age}'
         FROM copies, sagas WHERE sagas.id = $1"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(order.0)
        .bind(count)
        .bind(attempts)
        .execute(shop.pool())
        .await
        .unwrap();
}

async fn seconds_to_deadline(shop: &Shop, saga: SagaId) -> f64 {
    sqlx::query_scalar("SELECT extract(epoch FROM deadline_at - now())::float8 FROM sagas WHERE id = $1")
        .bind(saga.0)
        .fetch_one(shop.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn checkouts_wait_for_a_free_place_and_start_in_order() {
    let shop = shop().await;
    let first = shop.place_order().await;
    add_checkouts(&shop, first, i64::try_from(IN_FLIGHT).unwrap() - 1, 1, "0 s").await;
    let waiting = [shop.place_order().await, shop.place_order().await];
    assert_eq!(
        shop.sent().await.len(),
        1,
        "only the first order's command is sent"
    );
    let saga = shop.saga(waiting[0]).await;
    assert_eq!((&saga["status"], steps(&saga)), (&json!("running"), vec![]));
    assert_eq!(shop.orchestrator.tick().await.unwrap(), 0, "no place is free");

    // One checkout ends.
    shop.reply_refused(first.into(), "reserve_stock", "do", "out_of_stock")
        .await;
    shop.update_saga(waiting[0].into(), "deadline_at = now() + interval '5 s'")
        .await;
    assert_eq!(shop.orchestrator.tick().await.unwrap(), 1);
    assert_eq!(steps(&shop.saga(waiting[0]).await), ["do reserve_stock running"]);
    assert!(
        steps(&shop.saga(waiting[1]).await).is_empty(),
        "the other one still waits"
    );
    let left = seconds_to_deadline(&shop, waiting[0].into()).await;
    assert!(
        (115.0..=120.0).contains(&left),
        "the deadline is counted from the first command: {left} s left"
    );
    assert_eq!(shop.orchestrator.tick().await.unwrap(), 0);
}

#[tokio::test]
async fn a_checkout_that_waits_past_its_deadline_is_rejected_with_nothing_to_undo() {
    let shop = shop().await;
    let first = shop.place_order().await;
    add_checkouts(&shop, first, i64::try_from(IN_FLIGHT).unwrap(), 1, "0 s").await;
    let waiting = shop.place_order().await;
    let left = seconds_to_deadline(&shop, waiting.into()).await;
    assert!((115.0..=120.0).contains(&left), "{left}");
    shop.update_saga(
        waiting.into(),
        "deadline_at = now() - interval '1 ms', next_at = now() - interval '1 ms'",
    )
    .await;
    assert_eq!(shop.orchestrator.tick().await.unwrap(), 1);
    let view = shop.get_order(waiting).await;
    assert_eq!(
        (&view["status"], &view["reason"], &view["payment_status"]),
        (&json!("rejected"), &json!("timeout"), &json!("voided"))
    );
    let saga = shop.saga(waiting).await;
    assert_eq!(
        (&saga["status"], steps(&saga)),
        (&json!("compensated"), vec!["do reserve_stock silent".to_owned()])
    );
    assert_eq!(shop.sent().await.len(), 1);
}

#[tokio::test]
async fn a_waiting_order_can_be_cancelled_at_once() {
    let shop = shop().await;
    let first = shop.place_order().await;
    add_checkouts(&shop, first, i64::try_from(IN_FLIGHT).unwrap(), 1, "0 s").await;
    let waiting = shop.place_order().await;
    let cancelled = shop
        .post(
            &format!("/v1/orders/{waiting}/cancel"),
            &json!({"reason": "too slow"}),
        )
        .await
        .expect(202);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(shop.saga(waiting).await["status"], "compensated");
    assert_eq!(
        shop.sent().await.len(),
        1,
        "nothing was sent, so nothing is undone"
    );
}

#[tokio::test]
async fn compensations_and_returns_do_not_wait_for_a_place() {
    let shop = shop().await;
    let bought = shop.confirmed_order().await;
    let failing = shop.place_order().await;
    shop.reply_done(failing.into(), "reserve_stock", "do").await;
    add_checkouts(&shop, failing, i64::try_from(IN_FLIGHT).unwrap(), 1, "0 s").await;
    shop.reply_refused(failing.into(), "authorize_payment", "do", "card_declined")
        .await;
    returns::return_items(&shop, bought, &[("TEA-1", 1)]).await;
    let sent = shop.sent().await;
    assert_eq!(
        sent[sent.len() - 2..],
        ["inventory.release_stock.v1", "payments.refund_payment.v1"]
    );
}

#[tokio::test]
async fn stuck_sagas_do_not_occupy_a_place() {
    let shop = shop().await;
    let first = shop.place_order().await;
    add_checkouts(&shop, first, 200, 9, "0 s").await;
    shop.place_order().await;
    assert_eq!(shop.sent().await.len(), 2);
}

#[tokio::test]
async fn new_orders_are_refused_while_too_many_wait_but_repetitions_are_answered() {
    let shop = shop().await;
    let (request, key) = (body(&[("TEA-1", 1)]), Uuid::new_v4().to_string());
    let place = async || {
        let request = shop.as_user(shop.user, Method::POST, "/v1/orders").json(&request);
        Response::of(request.header("idempotency-key", &key)).await
    };
    let placed = place().await.expect(202);
    let order = crate::support::id(&placed);
    add_checkouts(&shop, order, 511, 0, "1 s").await;
    let refused = shop.post("/v1/orders", &request).await;
    assert_eq!(refused.header("retry-after"), "5");
    let problem = refused.problem(503);
    assert!(
        problem["type"].as_str().unwrap().ends_with("overloaded"),
        "{problem:#}"
    );
    assert_eq!(
        place().await.expect(202),
        placed,
        "the repetition returns the accepted order"
    );

    sqlx::query("DELETE FROM sagas WHERE attempts = 0")
        .execute(shop.pool())
        .await
        .unwrap();
    shop.post("/v1/orders", &request).await.expect(202);
    add_checkouts(&shop, order, 1, 0, "31 s").await;
    let _ = shop.post("/v1/orders", &request).await.problem(503);
}

#[tokio::test]
async fn a_command_that_may_still_be_in_a_queue_is_not_resent() {
    let shop = shop().await;
    let order = shop.place_order().await;
    // The queue of the command, and the queue of the replies.
    for queue in [queues::INVENTORY, queues::ORDERS] {
        shop.update_saga(order.into(), "next_at = now()").await;
        let lease = shop.orchestrator.lease().await.unwrap()[0];
        assert!(
            !shop
                .orchestrator
                .wake(lease, &Backlog::of(&[queue]))
                .await
                .unwrap()
        );
        assert_eq!(shop.sent().await.len(), 1, "{queue}");
        assert_eq!(shop.saga(order).await["steps"][0]["attempts"], 1);
        assert_eq!(
            shop.orchestrator.tick().await.unwrap(),
            0,
            "it is checked again later"
        );
    }
    shop.update_saga(order.into(), "next_at = now()").await;
    let lease = shop.orchestrator.lease().await.unwrap()[0];
    let other_queue = Backlog::of(&[queues::PAYMENTS]);
    assert!(shop.orchestrator.wake(lease, &other_queue).await.unwrap());
    assert_eq!(shop.sent().await.len(), 2, "a lost command is resent");
}

#[tokio::test]
async fn the_deadline_applies_even_if_every_queue_has_a_backlog() {
    let shop = shop().await;
    let order = shop.place_order().await;
    shop.update_saga(order.into(), "next_at = now(), deadline_at = now()")
        .await;
    let lease = shop.orchestrator.lease().await.unwrap()[0];
    let every_queue = Backlog::of(&[queues::INVENTORY, queues::PAYMENTS, queues::ORDERS]);
    assert!(shop.orchestrator.wake(lease, &every_queue).await.unwrap());
    assert_eq!(shop.saga(order).await["status"], "compensating");
}

#[tokio::test]
async fn a_reply_is_overdue_only_if_it_takes_longer_than_recent_replies() {
    let shop = shop().await;
    let (slow, other) = (shop.place_order().await, shop.place_order().await);
    shop.update_saga(slow.into(), "updated_at = now() - interval '2 s'")
        .await;
    shop.reply_done(slow.into(), "reserve_stock", "do").await;
    // Replies currently take two seconds, so one is not overdue after one second.
    shop.update_saga(
        other.into(),
        "updated_at = now() - interval '1 s', next_at = now()",
    )
    .await;
    shop.orchestrator.tick().await.unwrap();
    assert_eq!(shop.saga(other).await["steps"][0]["attempts"], 1);
    let wait: f64 =
        sqlx::query_scalar("SELECT extract(epoch FROM next_at - now())::float8 FROM sagas WHERE id = $1")
            .bind(other.0)
            .fetch_one(shop.pool())
            .await
            .unwrap();
    assert!(
        (3.0..=9.0).contains(&wait),
        "three times the current delay of at least two seconds, at most 10 s, minus one second: {wait}"
    );
    shop.tick_when_due(other.into()).await;
    assert_eq!(shop.saga(other).await["steps"][0]["attempts"], 2);
}
