//! Whole checkouts over a real broker.

use contracts::CommandId;
use serde_json::json;

use crate::{
    participants::{Script, TIMEOUT, running_shop},
    support::steps,
};

#[tokio::test]
async fn a_successful_checkout_confirms_the_order() {
    let running = running_shop(&[("inventory.pin_stock.v1", Script::ReplyTwice)]).await;
    let order = running.shop.place_order().await;
    let (view, saga) = running.wait_for_status(order, "completed").await;
    assert_eq!(view["status"], "confirmed");
    assert_eq!(
        (&view["payment_status"], &view["fulfilment_status"]),
        (&json!("captured"), &json!("reserved"))
    );
    let expected = [
        "do reserve_stock done",
        "do authorize_payment done",
        "do pin_stock done",
        "do capture_payment done",
        "do commit_stock done",
        "do confirm_order done",
    ];
    assert_eq!(steps(&saga), expected);
    for step in saga["steps"].as_array().unwrap() {
        assert_eq!(step["attempts"], 1, "{step:#}");
        assert!(
            step["started_at"].is_string() && step["finished_at"].is_string(),
            "{step:#}"
        );
    }
    for step in saga["steps"].as_array().unwrap() {
        let name = step["name"].as_str().unwrap();
        let command = (name != "confirm_order").then(|| CommandId::derive(order.into(), name, "do"));
        assert_eq!(
            (&step["pivot"], &step["command_id"]),
            (&json!(name == "capture_payment"), &json!(command))
        );
    }
    let services: Vec<_> = saga["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["service"].clone())
        .collect();
    assert_eq!(
        services,
        [
            "inventory",
            "payments",
            "inventory",
            "payments",
            "inventory",
            "orders"
        ]
    );
    testkit::eventually("the outbox is empty", TIMEOUT, async || {
        running.shop.sent().await.is_empty().then_some(())
    })
    .await;
    let expected = [
        "order_placed",
        "stock_reserved",
        "payment_authorized",
        "saga_progressed",
        "payment_captured",
        "order_confirmed",
    ];
    assert_eq!(running.shop.events(order).await, expected);
}

#[tokio::test]
async fn a_declined_capture_is_undone_in_reverse_order() {
    let running = running_shop(&[("payments.capture_payment.v1", Script::Refuse("capture_declined"))]).await;
    let order = running.shop.place_order().await;
    let (view, saga) = running.wait_for_status(order, "compensated").await;
    assert_eq!(
        (&view["status"], &view["reason"]),
        (&json!("rejected"), &json!("payment_declined"))
    );
    assert_eq!(
        (&view["payment_status"], &view["fulfilment_status"]),
        (&json!("voided"), &json!("cancelled"))
    );
    let expected = [
        "do reserve_stock done",
        "do authorize_payment done",
        "do pin_stock done",
        "do capture_payment refused",
        "undo pin_stock done",
        "undo authorize_payment done",
        "undo reserve_stock done",
    ];
    assert_eq!(steps(&saga), expected);
    assert_eq!(saga["steps"][3]["reason"], "capture_declined");
    let received = running.participants.received.lock().unwrap().clone();
    let expected = [
        "inventory.reserve_stock.v2",
        "payments.authorize_payment.v1",
        "inventory.pin_stock.v1",
        "payments.capture_payment.v1",
        "inventory.unpin_stock.v1",
        "payments.void_payment.v1",
        "inventory.release_stock.v1",
    ];
    assert_eq!(received, expected);
}
