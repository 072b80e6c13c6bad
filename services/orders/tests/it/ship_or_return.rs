//! An order cannot be shipped while one of its returns is open, nor after it was refunded in full. The lock on the order's row
//! serializes a shipment and a return at the same moment.

use std::time::Duration;

use contracts::OrderId;
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    receipts::{receive, refuse, report_refund},
    returns::{return_items, saga_of},
    support::{Response, Shop, shop},
};

const TIMEOUT: Duration = Duration::from_secs(10);

async fn ship(shop: &Shop, order: OrderId) -> Response {
    shop.admin_post(&format!("/v1/orders/{order}/shipments"), &json!({}))
        .await
}

async fn post_return(shop: &Shop, order: OrderId) -> Response {
    let body = json!({"lines": [{"sku": "TEA-1", "quantity": 2}], "reason": "wrong colour"});
    shop.post(&format!("/v1/orders/{order}/returns"), &body).await
}

#[track_caller]
fn assert_conflict(response: Response, kind: &str) {
    assert_eq!(
        response.problem(409)["type"],
        format!("https://souk.test/problems/{kind}")
    );
}

#[tokio::test]
async fn an_order_cannot_be_shipped_until_its_return_is_completed_or_refused() {
    let shop = shop().await;
    let order = shop.confirmed_order().await;
    let requested = return_items(&shop, order, &[("TEA-1", 1)]).await;
    assert_conflict(ship(&shop, order).await, "return-in-progress");
    shop.reply_done(saga_of(&requested), "refund_payment", "do").await;
    assert_conflict(ship(&shop, order).await, "return-in-progress");
    shop.reply_done(saga_of(&requested), "restock_items", "do").await;
    assert_eq!(
        ship(&shop, order).await.expect(201)["status"],
        "shipped",
        "the remaining items"
    );

    let order = shop.confirmed_order().await;
    let requested = return_items(&shop, order, &[("TEA-1", 1)]).await;
    shop.reply_refused(saga_of(&requested), "refund_payment", "do", "exceeds_captured")
        .await;
    ship(&shop, order).await.expect(201);
}

#[tokio::test]
async fn an_order_that_was_refunded_in_full_cannot_be_shipped() {
    let shop = shop().await;
    let order = shop.confirmed_order().await;
    report_refund(&shop, order, 2_100).await;
    assert_conflict(ship(&shop, order).await, "already-refunded");
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["status"], &view["shipment"]),
        (&json!("confirmed"), &Value::Null)
    );
    // A partial refund does not prevent the shipment.
    let order = shop.confirmed_order().await;
    report_refund(&shop, order, 2_000).await;
    ship(&shop, order).await.expect(201);
}

/// Starts both requests while the order's row is locked, so that they queue for it in this order, and then releases the row.
async fn in_this_order<A, B>(shop: &Shop, order: OrderId, first: A, second: B) -> (A::Output, B::Output)
where
    A: Future,
    B: Future,
{
    let mut lock = shop.pool().begin().await.unwrap();
    sqlx::query("SELECT id FROM orders WHERE id = $1 FOR UPDATE")
        .bind(order.0)
        .execute(&mut *lock)
        .await
        .unwrap();
    let waiting = async |count: i64| {
        eventually("requests wait for the order's row", TIMEOUT, async || {
            let sql = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'";
            let now: i64 = sqlx::query_scalar(sql).fetch_one(shop.pool()).await.unwrap();
            (now == count).then_some(())
        })
        .await;
    };
    let second = async {
        waiting(1).await;
        second.await
    };
    let release = async {
        waiting(2).await;
        lock.commit().await.unwrap();
    };
    let (first, second, ()) = tokio::join!(first, second, release);
    (first, second)
}

#[tokio::test]
async fn a_return_just_after_the_shipment_waits_for_the_items() {
    let shop = shop().await;
    let order = shop.confirmed_order().await;
    let (shipped, returned) =
        in_this_order(&shop, order, ship(&shop, order), post_return(&shop, order)).await;
    shipped.expect(201);
    let returned = returned.expect(202);
    assert_eq!(
        (&returned["status"], &returned["needs_receipt"]),
        (&json!("requested"), &json!(true))
    );
    let sent = shop.sent().await;
    assert!(
        !sent.contains(&"payments.refund_payment.v1".to_owned()),
        "{sent:?}"
    );
}

#[tokio::test]
async fn a_shipment_just_after_the_return_is_refused() {
    let shop = shop().await;
    let order = shop.confirmed_order().await;
    let (returned, shipped) =
        in_this_order(&shop, order, post_return(&shop, order), ship(&shop, order)).await;
    assert_eq!(returned.expect(202)["needs_receipt"], false);
    assert_conflict(shipped, "return-in-progress");
    let sent = shop.sent().await;
    assert!(
        sent.contains(&"payments.refund_payment.v1".to_owned()),
        "{sent:?}"
    );
    assert_eq!(shop.get_order(order).await["shipment"], Value::Null);
}

#[tokio::test]
async fn of_a_receipt_and_a_refusal_at_the_same_moment_the_first_takes_effect() {
    let shop = shop().await;
    for receipt_is_first in [true, false] {
        let order = shop.confirmed_order().await;
        ship(&shop, order).await.expect(201);
        let requested = return_items(&shop, order, &[("TEA-1", 1)]).await;
        let (receipt, refusal) = (
            receive(&shop, order, &requested),
            refuse(&shop, order, &requested, "The box is empty."),
        );
        let expected = if receipt_is_first {
            let (receipt, refusal) = in_this_order(&shop, order, receipt, refusal).await;
            receipt.expect(202);
            assert_conflict(refusal, "not-awaiting-receipt");
            "received"
        } else {
            let (refusal, receipt) = in_this_order(&shop, order, refusal, receipt).await;
            refusal.expect(200);
            assert_conflict(receipt, "not-awaiting-receipt");
            "refused"
        };
        assert_eq!(shop.get_order(order).await["returns"][0]["status"], expected);
    }
}
