//! Returns of orders that have not been shipped: refund and restock begin at once.

use contracts::{Currency, Money, OrderId, SagaId, saga::PaymentRefunded};
use messaging::Handler as _;
use serde_json::{Value, json};

use crate::{
    fulfilment::incoming,
    support::{Shop, shop, steps},
};

fn back(items: &[(&str, i64)]) -> Value {
    let items: Vec<Value> = items
        .iter()
        .map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity}))
        .collect();
    json!({"items": items, "reason": "wrong colour"})
}

pub(crate) async fn ask(shop: &Shop, order: OrderId, items: &[(&str, i64)]) -> Value {
    shop.post(&format!("/v1/orders/{order}/returns"), &back(items))
        .await
        .expect(202)
}

pub(crate) fn saga_of(asked: &Value) -> SagaId {
    SagaId(asked["id"].as_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn goods_come_back_in_parts_until_the_order_is_returned() {
    let shop = shop().await;
    let order = shop.confirmed().await;
    let first = ask(&shop, order, &[("TEA-1", 1)]).await;
    assert_eq!(
        (&first["status"], &first["amount"]),
        (&json!("requested"), &json!({"amount": 450, "currency": "EUR"}))
    );
    let sagas = shop.get(&format!("/v1/orders/{order}/saga")).await.expect(200);
    assert_eq!(
        (&sagas["definition"], &sagas["status"], &sagas["returns"][0]["id"]),
        (&json!("checkout"), &json!("completed"), &first["id"])
    );
    assert_eq!(steps(&sagas["returns"][0]), ["do refund_payment running"]);
    let mut events = shop.follow(order, None).await;
    assert_eq!(
        events.event().await.data["saga"]["returns"][0],
        sagas["returns"][0]
    );
    shop.done(saga_of(&first), "refund_payment", "do").await;
    let told = loop {
        let change = events.event().await.data;
        if !change["saga"].is_null() {
            break steps(&change["saga"]["returns"][0]);
        }
    };
    assert_eq!(told[..2], ["do refund_payment done", "do restock_items running"]);
    let seen = shop.see(order).await;
    assert_eq!(
        (&seen["payment_status"], &seen["returns"][0]["status"]),
        (&json!("partially_refunded"), &json!("refunded"))
    );
    shop.done(saga_of(&first), "restock_items", "do").await;
    let seen = shop.see(order).await;
    assert_eq!(
        (&seen["status"], &seen["returns"][0]["status"]),
        (&json!("confirmed"), &json!("completed"))
    );
    let rest = ask(&shop, order, &[("TEA-1", 1), ("CUP-1", 1)]).await;
    for step in ["refund_payment", "restock_items"] {
        shop.done(saga_of(&rest), step, "do").await;
    }
    let seen = shop.see(order).await;
    assert_eq!(
        (&seen["status"], &seen["fulfilment_status"]),
        (&json!("returned"), &json!("cancelled")),
        "it was never sent"
    );
    assert_eq!(seen["payment_status"], "refunded");
    let saga = shop
        .admin_get(&format!("/v1/admin/sagas/{}", saga_of(&rest)))
        .await
        .expect(200);
    assert_eq!(
        (&saga["definition"], &saga["status"]),
        (&json!("return"), &json!("completed"))
    );
    assert_eq!(
        steps(&saga),
        [
            "do refund_payment done",
            "do restock_items done",
            "do complete_return done"
        ]
    );
    assert_eq!(shop.events(order).await.last().unwrap(), "order_returned");
    let path = format!("/v1/orders/{order}/returns");
    let _ = shop.post(&path, &back(&[("TEA-1", 1)])).await.problem(409);
}

#[tokio::test]
async fn the_money_of_a_return_is_told_of_once_whoever_tells_first() {
    let shop = shop().await;
    for notice_is_first in [true, false] {
        let order = shop.confirmed().await;
        let saga = saga_of(&ask(&shop, order, &[("TEA-1", 1)]).await);
        let notice = PaymentRefunded {
            order_id: order,
            captured: Money::new(2_100, Currency::EUR),
            refunded: Money::new(450, Currency::EUR),
        };
        let notice = incoming(order, &notice);
        if notice_is_first {
            shop.orchestrator.handle(notice).await.unwrap();
            shop.done(saga, "refund_payment", "do").await;
        } else {
            shop.done(saga, "refund_payment", "do").await;
            shop.orchestrator.handle(notice).await.unwrap();
        }
        let events = shop.events(order).await;
        let told = events.iter().filter(|event| *event == "payment_refunded").count();
        assert_eq!(told, 1, "{events:?}");
        let seen = shop.see(order).await;
        assert_eq!(
            (&seen["payment_status"], &seen["returns"][0]["status"]),
            (&json!("partially_refunded"), &json!("refunded"))
        );
    }
}

#[tokio::test]
async fn no_more_comes_back_than_was_bought_even_at_once() {
    let shop = shop().await;
    let order = shop.confirmed().await;
    let path = format!("/v1/orders/{order}/returns");
    let _ = shop.post(&path, &back(&[("TEA-1", 3)])).await.problem(409);
    assert_eq!(
        shop.post(&path, &back(&[("POT-1", 1)])).await.pointers(),
        ["/items/0/sku"]
    );
    assert_eq!(
        shop.post(&path, &back(&[("TEA-1", 1), ("TEA-1", 1)]))
            .await
            .pointers(),
        ["/items/1/sku"]
    );
    assert_eq!(shop.post(&path, &back(&[])).await.pointers(), ["/items"]);
    assert_eq!(
        shop.post(&path, &json!({"items": [], "reason": " "}))
            .await
            .pointers(),
        ["/reason"]
    );
    let request = back(&[("TEA-1", 2)]);
    let answers = futures::future::join_all((0..4).map(|_| shop.post(&path, &request))).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409, 409, 409]);
    let pending = shop.order().await;
    let _ = shop
        .post(&format!("/v1/orders/{pending}/returns"), &back(&[("TEA-1", 1)]))
        .await
        .problem(409);
}

#[tokio::test]
async fn a_refused_refund_takes_nothing_back() {
    let shop = shop().await;
    let order = shop.confirmed().await;
    let asked = ask(&shop, order, &[("TEA-1", 2)]).await;
    shop.refuse(saga_of(&asked), "refund_payment", "do", "exceeds_captured")
        .await;
    let seen = shop.see(order).await;
    assert_eq!(
        (&seen["status"], &seen["payment_status"]),
        (&json!("confirmed"), &json!("captured"))
    );
    assert_eq!(seen["returns"][0]["status"], "refused");
    assert!(
        !shop
            .sent()
            .await
            .contains(&"inventory.restock_items.v1".to_owned())
    );
    // What was refused may be asked for again.
    ask(&shop, order, &[("TEA-1", 2)]).await;
}

#[tokio::test]
async fn two_returns_that_complete_together_return_the_order() {
    let shop = shop().await;
    let order = shop.confirmed().await;
    let sagas = [
        saga_of(&ask(&shop, order, &[("TEA-1", 2)]).await),
        saga_of(&ask(&shop, order, &[("CUP-1", 1)]).await),
    ];
    for saga in sagas {
        shop.done(saga, "refund_payment", "do").await;
    }
    tokio::join!(
        shop.done(sagas[0], "restock_items", "do"),
        shop.done(sagas[1], "restock_items", "do")
    );
    let seen = shop.see(order).await;
    assert_eq!(
        (&seen["status"], &seen["payment_status"]),
        (&json!("returned"), &json!("refunded"))
    );
}
