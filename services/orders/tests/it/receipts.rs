//! Returns of shipped orders: they wait until an operator confirms the receipt, or refuses them.

use contracts::{Currency, Money, OrderId, saga::PaymentRefunded};
use messaging::Handler as _;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    fulfilment::incoming,
    returns::{ask, saga_of},
    support::{Answer, Shop, shop},
};

/// A confirmed order that was shipped.
async fn shipped(shop: &Shop) -> OrderId {
    let order = shop.confirmed().await;
    shop.admin_post(&format!("/v1/orders/{order}/shipments"), &json!({}))
        .await
        .expect(201);
    order
}

fn path(order: OrderId, asked: &Value, decision: &str) -> String {
    let id = asked["id"].as_str().unwrap();
    format!("/v1/orders/{order}/returns/{id}/{decision}")
}

/// An operator confirms the receipt of a return.
pub(crate) async fn receive(shop: &Shop, order: OrderId, asked: &Value) -> Answer {
    shop.admin_post(&path(order, asked, "receipt"), &json!({})).await
}

/// An operator refuses a return.
pub(crate) async fn refuse(shop: &Shop, order: OrderId, asked: &Value, reason: &str) -> Answer {
    let body = json!({"reason": reason});
    shop.admin_post(&path(order, asked, "refusal"), &body).await
}

/// Payments reports that an operator has refunded so much in all.
pub(crate) async fn refunded(shop: &Shop, order: OrderId, cents: i64) {
    let notice = PaymentRefunded {
        order_id: order,
        captured: Money::new(2_100, Currency::EUR),
        refunded: Money::new(cents, Currency::EUR),
    };
    shop.orchestrator.handle(incoming(order, &notice)).await.unwrap();
}

async fn commands(shop: &Shop) -> Vec<String> {
    let mut sent = shop.sent().await;
    sent.retain(|kind| ["payments.refund_payment.v1", "inventory.restock_items.v1"].contains(&kind.as_str()));
    sent
}

#[tokio::test]
async fn items_that_were_shipped_are_refunded_and_restocked_when_they_arrive() {
    let shop = shop().await;
    let order = shipped(&shop).await;
    let asked = ask(&shop, order, &[("TEA-1", 2), ("CUP-1", 1)]).await;
    assert_eq!(
        (&asked["status"], &asked["needs_receipt"]),
        (&json!("requested"), &json!(true))
    );
    assert!(commands(&shop).await.is_empty(), "nothing has arrived");
    let sagas = shop.saga(order).await;
    assert_eq!(sagas["returns"], json!([]));
    // What is on its way can still be delivered.
    shop.admin_post(&format!("/v1/orders/{order}/deliveries"), &json!({}))
        .await
        .expect(201);

    let received = receive(&shop, order, &asked).await.expect(202);
    assert_eq!(
        (&received["status"], &received["amount"]["amount"]),
        (&json!("received"), &json!(2_100))
    );
    assert_eq!(shop.events(order).await.last().unwrap(), "return_received");
    assert_eq!(commands(&shop).await, ["payments.refund_payment.v1"]);
    let again = receive(&shop, order, &asked).await.problem(409);
    assert_eq!(again["type"], "https://souk.test/problems/not-awaiting-receipt");
    let _ = refuse(&shop, order, &asked, "too late").await.problem(409);

    shop.done(saga_of(&asked), "refund_payment", "do").await;
    let seen = shop.see(order).await;
    assert_eq!(
        (&seen["payment_status"], &seen["returns"][0]["status"]),
        (&json!("refunded"), &json!("refunded"))
    );
    shop.done(saga_of(&asked), "restock_items", "do").await;
    let seen = shop.see(order).await;
    assert_eq!(
        (
            &seen["status"],
            &seen["fulfilment_status"],
            &seen["returns"][0]["status"]
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
    let order = shipped(&shop).await;
    let asked = ask(&shop, order, &[("TEA-1", 2)]).await;
    assert_eq!(refuse(&shop, order, &asked, " ").await.pointers(), ["/reason"]);
    let refused = refuse(&shop, order, &asked, "The box is empty.")
        .await
        .expect(200);
    assert_eq!(
        (&refused["status"], &refused["refusal_reason"]),
        (&json!("refused"), &json!("The box is empty."))
    );
    assert_eq!(shop.see(order).await["returns"][0], refused);
    assert_eq!(shop.events(order).await.last().unwrap(), "return_refused");
    assert!(commands(&shop).await.is_empty());
    let _ = receive(&shop, order, &asked).await.problem(409);
    // It has left, so a refusal does not make it shippable.
    let path = format!("/v1/orders/{order}/shipments");
    let problem = shop.admin_post(&path, &json!({})).await.problem(409);
    assert_eq!(problem["type"], "https://souk.test/problems/not-shippable");
    ask(&shop, order, &[("TEA-1", 2)]).await;
}

#[tokio::test]
async fn only_an_operator_decides_and_only_about_a_return_that_waits() {
    let shop = shop().await;
    let (order, other) = (shipped(&shop).await, shop.confirmed().await);
    let asked = ask(&shop, order, &[("TEA-1", 1)]).await;
    for decision in ["receipt", "refusal"] {
        let by_shopper = shop.as_user(shop.user, Method::POST, &path(order, &asked, decision));
        let answer = Answer::of(by_shopper.json(&json!({"reason": "mine"}))).await;
        let _ = answer.problem(403);
    }
    let unknown = json!({"id": Uuid::new_v4()});
    for (order, asked) in [(order, &unknown), (other, &asked), (OrderId::generate(), &asked)] {
        let _ = receive(&shop, order, asked).await.problem(404);
        let _ = refuse(&shop, order, asked, "no").await.problem(404);
    }
    // Not shipped: its refund is under way already.
    let at_once = ask(&shop, other, &[("TEA-1", 1)]).await;
    assert_eq!(at_once["needs_receipt"], false);
    let problem = receive(&shop, other, &at_once).await.problem(409);
    assert_eq!(problem["type"], "https://souk.test/problems/not-awaiting-receipt");
    let _ = refuse(&shop, other, &at_once, "no").await.problem(409);
}

#[tokio::test]
async fn an_order_that_was_refunded_in_full_cannot_be_returned_on_top() {
    let shop = shop().await;
    for order in [shop.confirmed().await, shipped(&shop).await] {
        refunded(&shop, order, 2_100).await;
        let items = json!({"items": [{"sku": "TEA-1", "quantity": 1}], "reason": "wrong colour"});
        let problem = shop
            .post(&format!("/v1/orders/{order}/returns"), &items)
            .await
            .problem(409);
        assert_eq!(problem["type"], "https://souk.test/problems/already-refunded");
    }
    assert!(commands(&shop).await.is_empty());
}

#[tokio::test]
async fn a_return_refunds_at_most_what_an_operator_has_left_of_the_payment() {
    let shop = shop().await;
    let order = shipped(&shop).await;
    refunded(&shop, order, 1_000).await;
    let cup = ask(&shop, order, &[("CUP-1", 1)]).await;
    assert_eq!(cup["amount"]["amount"], 1_100, "of 1,200");
    let tea = ask(&shop, order, &[("TEA-1", 1)]).await;
    assert_eq!(tea["amount"]["amount"], 450);
    // Before the items arrive, an operator refunds some more.
    refunded(&shop, order, 1_800).await;
    let tea = receive(&shop, order, &tea).await.expect(202);
    assert_eq!(tea["amount"]["amount"], 300);
    refunded(&shop, order, 2_100).await;
    let cup = receive(&shop, order, &cup).await.expect(202);
    assert_eq!(cup["amount"]["amount"], 0, "the items are restocked all the same");
    for saga in [saga_of(&tea), saga_of(&cup)] {
        shop.done(saga, "refund_payment", "do").await;
        shop.done(saga, "restock_items", "do").await;
    }
    let seen = shop.see(order).await;
    assert_eq!(
        (&seen["payment_status"], &seen["status"]),
        (&json!("refunded"), &json!("shipped")),
        "one tea is still out"
    );
    let statuses: Vec<_> = seen["returns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(statuses, ["completed", "completed"]);
}
