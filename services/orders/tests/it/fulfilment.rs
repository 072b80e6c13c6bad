//! Shipments, deliveries, and notices from payments about refunds.

use contracts::{
    CommandId, Currency, Money, OrderId,
    saga::{Message, Outcome, PaymentRefunded, Reply, queues},
};
use messaging::{HandleError, Handler as _, Incoming};
use serde_json::json;
use uuid::Uuid;

use crate::support::shop;

#[tokio::test]
async fn a_confirmed_order_is_shipped_and_then_delivered() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let path = |action: &str| format!("/v1/orders/{order}/{action}");
    let _ = shop.admin_post(&path("shipments"), &json!({})).await.problem(409);
    for step in [
        "reserve_stock",
        "authorize_payment",
        "pin_stock",
        "capture_payment",
        "commit_stock",
    ] {
        shop.reply_done(order.into(), step, "do").await;
    }
    let _ = shop
        .admin_post(&path("deliveries"), &json!({}))
        .await
        .problem(409);
    let body = json!({"carrier": "DHL", "tracking_number": "00340434"});
    let shipped = shop.admin_post(&path("shipments"), &body).await.expect(201);
    assert_eq!(
        (&shipped["status"], &shipped["fulfilment_status"]),
        (&json!("shipped"), &json!("shipped"))
    );
    assert_eq!(shipped["shipment"]["tracking_number"], "00340434");
    let _ = shop.admin_post(&path("shipments"), &json!({})).await.problem(409);
    let delivered = shop.admin_post(&path("deliveries"), &json!({})).await.expect(201);
    assert_eq!(delivered["status"], "delivered");
    assert!(delivered["shipment"]["delivered_at"].is_string());
    assert_eq!(
        shop.events(order).await[6..],
        ["order_shipped", "order_delivered"]
    );
    let long = json!({"carrier": "x".repeat(101)});
    assert_eq!(
        shop.admin_post(&path("shipments"), &long).await.pointers(),
        ["/carrier"]
    );
}

/// A message as the consumer passes it to its handler.
pub(crate) fn incoming<M: Message>(order: OrderId, message: &M) -> Incoming {
    Incoming {
        id: Uuid::new_v4(),
        kind: M::KIND.into(),
        queue: queues::ORDERS.into(),
        correlation_id: order.0,
        reply_to: None,
        body: serde_json::to_vec(message).unwrap(),
        attempt: 1,
        death_reason: None,
        trace: telemetry::TraceContext::default(),
    }
}

#[tokio::test]
async fn refund_notices_carry_totals_so_the_largest_wins() {
    let shop = shop().await;
    let order = shop.confirmed_order().await;
    let euro = |amount| Money::new(amount, Currency::EUR);
    // The order's total is 2100. The notices arrive out of order, and two of them twice.
    let notices = [
        (1_000, "partially_refunded"),
        (400, "partially_refunded"),
        (2_100, "refunded"),
        (1_000, "refunded"),
        (2_100, "refunded"),
    ];
    for (refunded, expected) in notices {
        let notice = PaymentRefunded {
            order_id: order,
            captured: euro(2_100),
            refunded: euro(refunded),
        };
        shop.orchestrator.handle(incoming(order, &notice)).await.unwrap();
        assert_eq!(
            shop.get_order(order).await["payment_status"],
            expected,
            "{refunded}"
        );
    }
    assert_eq!(
        shop.events(order).await[6..],
        ["payment_refunded", "payment_refunded"]
    );
}

#[tokio::test]
async fn a_refund_notice_that_arrives_before_the_capture_reply_is_kept() {
    let shop = shop().await;
    let order = shop.place_order().await;
    for step in ["reserve_stock", "authorize_payment", "pin_stock"] {
        shop.reply_done(order.into(), step, "do").await;
    }
    let notice = PaymentRefunded {
        order_id: order,
        captured: Money::new(2_100, Currency::EUR),
        refunded: Money::new(2_100, Currency::EUR),
    };
    shop.orchestrator.handle(incoming(order, &notice)).await.unwrap();
    shop.reply_done(order.into(), "capture_payment", "do").await;
    assert_eq!(shop.get_order(order).await["payment_status"], "refunded");
}

#[tokio::test]
async fn a_message_of_an_unknown_type_is_poison() {
    let shop = shop().await;
    let mut message = incoming(
        OrderId::generate(),
        &Reply {
            command_id: CommandId(Uuid::new_v4()),
            outcome: Outcome::Done,
        },
    );
    shop.orchestrator.handle(message.clone()).await.unwrap();
    message.kind = "payments.no_such_thing.v1".into();
    let result = shop.orchestrator.handle(message).await;
    assert!(matches!(result, Err(HandleError::Poison(_))), "{result:?}");
}
