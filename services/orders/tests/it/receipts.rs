//! Returns of shipped orders, which wait until an operator confirms the receipt or refuses the return.

use contracts::{Currency, Money, OrderId, saga::PaymentRefunded};
use messaging::Handler as _;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    fulfilment::incoming,
    returns::{return_items, saga_of},
    support::{Response, Shop, shop},
};

/// Places an order, confirms it and ships it.
async fn shipped_order(shop: &Shop) -> OrderId {
    let order = shop.confirmed_order().await;
    shop.admin_post(&format!("/v1/orders/{order}/shipments"), &json!({}))
        .await
        .expect(201);
    order
}

fn path(order: OrderId, requested: &Value, decision: &str) -> String {
    let id = requested["id"].as_str().unwrap();
    format!("/v1/orders/{order}/returns/{id}/{decision}")
}

/// An operator confirms the receipt of a return.
pub(crate) async fn receive(shop: &Shop, order: OrderId, requested: &Value) -> Response {
    shop.admin_post(&path(order, requested, "receipt"), &json!({}))
        .await
}

/// An operator refuses a return.
pub(crate) async fn refuse(shop: &Shop, order: OrderId, requested: &Value, reason: &str) -> Response {
    let body = json!({"reason": reason});
    shop.admin_post(&path(order, requested, "refusal"), &body).await
}

/// Passes a notice from payments: an operator has refunded this total, in cents.
pub(crate) async fn report_refund(shop: &Shop, order: OrderId, cents: i64) {
    let notice = PaymentRefunded {
        order_id: order,
        captured: Money::new(2_100, Currency::EUR),
        refunded: Money::new(cents, Currency::EUR),
    };
    shop.orchestrator.handle(incoming(order, &notice)).await.unwrap();
}

/// The types of the sent refund and restock commands.
async fn commands(shop: &Shop) -> Vec<String> {
    let mut sent = shop.sent().await;
    sent.retain(|kind| ["payments.refund_payment.v1", "inventory.restock_items.v1"].contains(&kind.as_str()));
    sent
}

#[tokio::test]
async fn items_that_were_shipped_are_refunded_and_restocked_when_they_arrive() {
    let shop = shop().await;
    let order = shipped_order(&shop).await;
    let requested = return_items(&shop, order, &[("TEA-1", 2), ("CUP-1", 1)]).await;
    assert_eq!(
        (&requested["status"], &requested["needs_receipt"]),
        (&json!("requested"), &json!(true))
    );
    assert!(commands(&shop).await.is_empty(), "nothing has arrived");
    let sagas = shop.saga(order).await;
    assert_eq!(sagas["returns"], json!([]));
    // An order with an open return can still be delivered.
    shop.admin_post(&format!("/v1/orders/{order}/deliveries"), &json!({}))
        .await
        .expect(201);

    let received = receive(&shop, order, &requested).await.expect(202);
    assert_eq!(
        (&received["status"], &received["amount"]["amount"]),
        (&json!("received"), &json!(2_100))
    );
    assert_eq!(shop.events(order).await.last().unwrap(), "return_received");
    assert_eq!(commands(&shop).await, ["payments.refund_payment.v1"]);
    let again = receive(&shop, order, &requested).await.problem(409);
    assert_eq!(again["type"], "https://souk.test/problems/not-awaiting-receipt");
    let _ = refuse(&shop, order, &requested, "too late").await.problem(409);

    shop.reply_done(saga_of(&requested), "refund_payment", "do").await;
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["payment_status"], &view["returns"][0]["status"]),
        (&json!("refunded"), &json!("refunded"))
    );
    shop.reply_done(saga_of(&requested), "restock_items", "do").await;
    let view = shop.get_order(order).await;
    assert_eq!(
        (
            &view["status"],
            &view["fulfilment_status"],
            &view["returns"][0]["status"]
        ),
        (&json!("returned"), &json!("returned"), &json!("completed"))
    );
    assert_eq!(
        commands(&shop).await,
        ["payments.refund_payment.v1", "inventory.restock_items.v1"]
    );
}

#[tokio::test]
async fn an_operator_refuses_a_return_with_a_reason_and_it_can_be_requested_again() {
    let shop = shop().await;
    let order = shipped_order(&shop).await;
    let requested = return_items(&shop, order, &[("TEA-1", 2)]).await;
    assert_eq!(
        refuse(&shop, order, &requested, " ").await.pointers(),
        ["/reason"]
    );
    let refused = refuse(&shop, order, &requested, "The box is empty.")
        .await
        .expect(200);
    assert_eq!(
        (&refused["status"], &refused["refusal_reason"]),
        (&json!("refused"), &json!("The box is empty."))
    );
    assert_eq!(shop.get_order(order).await["returns"][0], refused);
    assert_eq!(shop.events(order).await.last().unwrap(), "return_refused");
    assert!(commands(&shop).await.is_empty());
    let _ = receive(&shop, order, &requested).await.problem(409);
    // The order was shipped, so it cannot be shipped again after the refusal.
    let path = format!("/v1/orders/{order}/shipments");
    let problem = shop.admin_post(&path, &json!({})).await.problem(409);
    assert_eq!(problem["type"], "https://souk.test/problems/not-shippable");
    return_items(&shop, order, &[("TEA-1", 2)]).await;
}

#[tokio::test]
async fn only_an_operator_decides_and_only_about_a_waiting_return() {
    let shop = shop().await;
    let (order, other) = (shipped_order(&shop).await, shop.confirmed_order().await);
    let requested = return_items(&shop, order, &[("TEA-1", 1)]).await;
    for decision in ["receipt", "refusal"] {
        let by_shopper = shop.as_user(shop.user, Method::POST, &path(order, &requested, decision));
        let response = Response::of(by_shopper.json(&json!({"reason": "mine"}))).await;
        let _ = response.problem(403);
    }
    let unknown = json!({"id": Uuid::new_v4()});
    for (order, requested) in [
        (order, &unknown),
        (other, &requested),
        (OrderId::generate(), &requested),
    ] {
        let _ = receive(&shop, order, requested).await.problem(404);
        let _ = refuse(&shop, order, requested, "no").await.problem(404);
    }
    // The refund of an order that was not shipped has started already.
    let immediate = return_items(&shop, other, &[("TEA-1", 1)]).await;
    assert_eq!(immediate["needs_receipt"], false);
    let problem = receive(&shop, other, &immediate).await.problem(409);
    assert_eq!(problem["type"], "https://souk.test/problems/not-awaiting-receipt");
    let _ = refuse(&shop, other, &immediate, "no").await.problem(409);
}

#[tokio::test]
async fn an_order_that_was_refunded_in_full_cannot_be_returned() {
    let shop = shop().await;
    for order in [shop.confirmed_order().await, shipped_order(&shop).await] {
        report_refund(&shop, order, 2_100).await;
        let items = json!({"lines": [{"sku": "TEA-1", "quantity": 1}], "reason": "wrong colour"});
        let problem = shop
            .post(&format!("/v1/orders/{order}/returns"), &items)
            .await
            .problem(409);
        assert_eq!(problem["type"], "https://souk.test/problems/already-refunded");
    }
    assert!(commands(&shop).await.is_empty());
}

#[tokio::test]
async fn a_return_refunds_at_most_the_remainder_of_the_payment() {
    let shop = shop().await;
    let order = shipped_order(&shop).await;
    report_refund(&shop, order, 1_000).await;
    let cup = return_items(&shop, order, &[("CUP-1", 1)]).await;
    assert_eq!(cup["amount"]["amount"], 1_100, "of 1,200");
    let tea = return_items(&shop, order, &[("TEA-1", 1)]).await;
    assert_eq!(tea["amount"]["amount"], 450);
    // Before the items arrive, an operator refunds another part.
    report_refund(&shop, order, 1_800).await;
    let tea = receive(&shop, order, &tea).await.expect(202);
    assert_eq!(tea["amount"]["amount"], 300);
    report_refund(&shop, order, 2_100).await;
    let cup = receive(&shop, order, &cup).await.expect(202);
    assert_eq!(cup["amount"]["amount"], 0, "the items are restocked nevertheless");
    for saga in [saga_of(&tea), saga_of(&cup)] {
        shop.reply_done(saga, "refund_payment", "do").await;
        shop.reply_done(saga, "restock_items", "do").await;
    }
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["payment_status"], &view["status"]),
        (&json!("refunded"), &json!("shipped")),
        "one tea has not been returned"
    );
    let statuses: Vec<_> = view["returns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|view| &view["status"])
        .collect();
    assert_eq!(statuses, ["completed", "completed"]);
}
