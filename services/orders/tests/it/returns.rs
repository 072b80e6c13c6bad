//! Returns of orders that have not been shipped, whose refund starts at once.

use contracts::{Currency, Money, OrderId, SagaId, saga::PaymentRefunded};
use messaging::Handler as _;
use serde_json::{Value, json};

use crate::{
    fulfilment::incoming,
    support::{Shop, shop, steps},
};

/// The body of a request for a return.
fn return_body(items: &[(&str, i64)]) -> Value {
    let items: Vec<Value> = items
        .iter()
        .map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity}))
        .collect();
    json!({"lines": items, "reason": "wrong colour"})
}

/// Requests a return of these items, and returns its view.
pub(crate) async fn return_items(shop: &Shop, order: OrderId, items: &[(&str, i64)]) -> Value {
    shop.post(&format!("/v1/orders/{order}/returns"), &return_body(items))
        .await
        .expect(202)
}

/// The saga of a return.
pub(crate) fn saga_of(return_view: &Value) -> SagaId {
    SagaId(return_view["id"].as_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn an_order_is_returned_in_parts_until_every_item_is_returned() {
    let shop = shop().await;
    let order = shop.confirmed_order().await;
    let first = return_items(&shop, order, &[("TEA-1", 1)]).await;
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
    shop.reply_done(saga_of(&first), "refund_payment", "do").await;
    let steps_after_refund = loop {
        let change = events.event().await.data;
        if !change["saga"].is_null() {
            break steps(&change["saga"]["returns"][0]);
        }
    };
    assert_eq!(
        steps_after_refund[..2],
        ["do refund_payment done", "do restock_items running"]
    );
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["payment_status"], &view["returns"][0]["status"]),
        (&json!("partially_refunded"), &json!("refunded"))
    );
    shop.reply_done(saga_of(&first), "restock_items", "do").await;
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["status"], &view["returns"][0]["status"]),
        (&json!("confirmed"), &json!("completed"))
    );
    let rest = return_items(&shop, order, &[("TEA-1", 1), ("CUP-1", 1)]).await;
    for step in ["refund_payment", "restock_items"] {
        shop.reply_done(saga_of(&rest), step, "do").await;
    }
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["status"], &view["fulfilment_status"]),
        (&json!("returned"), &json!("cancelled")),
        "the items were never shipped"
    );
    assert_eq!(view["payment_status"], "refunded");
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
    let _ = shop.post(&path, &return_body(&[("TEA-1", 1)])).await.problem(409);
}

#[tokio::test]
async fn the_refund_of_a_return_is_logged_once_whether_reply_or_notice_is_first() {
    let shop = shop().await;
    for notice_is_first in [true, false] {
        let order = shop.confirmed_order().await;
        let saga = saga_of(&return_items(&shop, order, &[("TEA-1", 1)]).await);
        let notice = PaymentRefunded {
            order_id: order,
            captured: Money::new(2_100, Currency::EUR),
            refunded: Money::new(450, Currency::EUR),
        };
        let notice = incoming(order, &notice);
        if notice_is_first {
            shop.orchestrator.handle(notice).await.unwrap();
            shop.reply_done(saga, "refund_payment", "do").await;
        } else {
            shop.reply_done(saga, "refund_payment", "do").await;
            shop.orchestrator.handle(notice).await.unwrap();
        }
        let events = shop.events(order).await;
        let count = events.iter().filter(|event| *event == "payment_refunded").count();
        assert_eq!(count, 1, "{events:?}");
        let view = shop.get_order(order).await;
        assert_eq!(
            (&view["payment_status"], &view["returns"][0]["status"]),
            (&json!("partially_refunded"), &json!("refunded"))
        );
    }
}

#[tokio::test]
async fn no_more_is_returned_than_was_bought_even_concurrently() {
    let shop = shop().await;
    let order = shop.confirmed_order().await;
    let path = format!("/v1/orders/{order}/returns");
    let _ = shop.post(&path, &return_body(&[("TEA-1", 3)])).await.problem(409);
    assert_eq!(
        shop.post(&path, &return_body(&[("POT-1", 1)])).await.pointers(),
        ["/lines/0/sku"]
    );
    assert_eq!(
        shop.post(&path, &return_body(&[("TEA-1", 1), ("TEA-1", 1)]))
            .await
            .pointers(),
        ["/lines/1/sku"]
    );
    assert_eq!(shop.post(&path, &return_body(&[])).await.pointers(), ["/lines"]);
    assert_eq!(
        shop.post(&path, &json!({"lines": [], "reason": " "}))
            .await
            .pointers(),
        ["/reason"]
    );
    let request = return_body(&[("TEA-1", 2)]);
    let responses = futures::future::join_all((0..4).map(|_| shop.post(&path, &request))).await;
    let mut statuses: Vec<_> = responses.iter().map(|response| response.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409, 409, 409]);
    let pending = shop.place_order().await;
    let _ = shop
        .post(
            &format!("/v1/orders/{pending}/returns"),
            &return_body(&[("TEA-1", 1)]),
        )
        .await
        .problem(409);
}

#[tokio::test]
async fn a_refused_refund_refuses_the_return_and_restocks_nothing() {
    let shop = shop().await;
    let order = shop.confirmed_order().await;
    let requested = return_items(&shop, order, &[("TEA-1", 2)]).await;
    shop.reply_refused(saga_of(&requested), "refund_payment", "do", "exceeds_captured")
        .await;
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["status"], &view["payment_status"]),
        (&json!("confirmed"), &json!("captured"))
    );
    assert_eq!(view["returns"][0]["status"], "refused");
    assert!(
        !shop
            .sent()
            .await
            .contains(&"inventory.restock_items.v1".to_owned())
    );
    // The items of a refused return can be returned again.
    return_items(&shop, order, &[("TEA-1", 2)]).await;
}

#[tokio::test]
async fn two_returns_that_complete_concurrently_return_the_order() {
    let shop = shop().await;
    let order = shop.confirmed_order().await;
    let sagas = [
        saga_of(&return_items(&shop, order, &[("TEA-1", 2)]).await),
        saga_of(&return_items(&shop, order, &[("CUP-1", 1)]).await),
    ];
    for saga in sagas {
        shop.reply_done(saga, "refund_payment", "do").await;
    }
    tokio::join!(
        shop.reply_done(sagas[0], "restock_items", "do"),
        shop.reply_done(sagas[1], "restock_items", "do")
    );
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["status"], &view["payment_status"]),
        (&json!("returned"), &json!("refunded"))
    );
}

#[tokio::test]
async fn items_are_returned_after_the_contract_step_of_the_order_total() {
    let shop = shop().await;
    let order = shop.confirmed_order().await;
    let contract = include_str!("../../../../migrations/orders/contract/order_total.sql");
    let mut transaction = shop.pool().begin().await.unwrap();
    sqlx::raw_sql(contract).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    let path = format!("/v1/orders/{order}/returns");
    let response = shop.post(&path, &return_body(&[("TEA-1", 1)])).await;
    assert_eq!(response.status, 202, "{}", response.text);
}
