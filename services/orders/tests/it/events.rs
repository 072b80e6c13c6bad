//! Events of orders, from the table `order_events` to Kafka.

use std::{collections::BTreeMap, time::Duration};

use contracts::{
    Currency, Money, OrderId, ReturnId, SagaId,
    events::{
        Envelope, Line, OrderCancelled, OrderConfirmed, OrderDelivered, OrderEvent, OrderPaymentAuthorized,
        OrderPaymentCaptured, OrderPaymentFailed, OrderPaymentRefunded, OrderPaymentVoided, OrderPlaced,
        OrderRejected, OrderReturned, OrderShipped, ReturnCompleted, ReturnReceived, ReturnRefused,
        ReturnRequested, StockReleased, StockReserved, topics,
    },
};
use events::{Brokers, Reader, Relay};
use serde_json::json;

use crate::{
    receipts::{receive, refuse},
    returns::{return_items, saga_of},
    support::{Shop, shop},
};

const TIMEOUT: Duration = Duration::from_secs(30);
const MIGRATION: &str = include_str!("../../../../migrations/orders/0006_events.sql");

fn euros(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

/// The lines of [`Shop::place_order`].
fn lines() -> Vec<Line> {
    let line = |sku: &str, quantity, price| Line {
        sku: sku.parse().unwrap(),
        name: format!("A fine {sku}"),
        quantity: serde_json::from_value(json!(quantity)).unwrap(),
        unit_price: euros(price),
    };
    vec![line("TEA-1", 2, 450), line("CUP-1", 1, 1_200)]
}

/// An order and its expected events, in order. Each event gets the two fields that all of them have: order and user.
macro_rules! expected {
    ($shop:ident, $order:ident: $($name:ident { $($field:ident: $value:expr),* })+) => {
        ($order, vec![$(OrderEvent::from($name { order_id: $order, user_id: $shop.user, $($field: $value),* })),+])
    };
}

/// An order and its expected events.
type Expected = (OrderId, Vec<OrderEvent>);

/// An order that is returned in part, shipped, has two returns refused, and is then returned completely.
async fn shipped_and_returned(shop: &Shop) -> Expected {
    let order = shop.confirmed_order().await;
    let path = |action: &str| format!("/v1/orders/{order}/{action}");
    let complete_return = async |saga: SagaId| {
        for step in ["refund_payment", "restock_items"] {
            shop.reply_done(saga, step, "do").await;
        }
        ReturnId(saga.0)
    };
    let part = complete_return(saga_of(&return_items(shop, order, &[("TEA-1", 1)]).await)).await;
    shop.admin_post(&path("shipments"), &json!({"carrier": "DHL"}))
        .await
        .expect(201);
    let refused = return_items(shop, order, &[("CUP-1", 1)]).await;
    refuse(shop, order, &refused, "The box is empty.")
        .await
        .expect(200);
    let refused = ReturnId(saga_of(&refused).0);
    let failed = return_items(shop, order, &[("CUP-1", 1)]).await;
    receive(shop, order, &failed).await.expect(202);
    shop.reply_refused(saga_of(&failed), "refund_payment", "do", "exceeds_captured")
        .await;
    let failed = ReturnId(saga_of(&failed).0);
    shop.admin_post(&path("deliveries"), &json!({})).await.expect(201);
    let rest = return_items(shop, order, &[("TEA-1", 1), ("CUP-1", 1)]).await;
    receive(shop, order, &rest).await.expect(202);
    let rest = complete_return(saga_of(&rest)).await;
    assert!(shop.events(order).await.contains(&"saga_progressed".to_owned()));
    let reason = || "wrong colour".to_owned();
    expected! { shop, order:
        OrderPlaced { total: euros(2_100), lines: lines() }
        StockReserved {}
        OrderPaymentAuthorized {}
        OrderPaymentCaptured {}
        OrderConfirmed { total: euros(2_100), lines: lines() }
        ReturnRequested { return_id: part, reason: reason(), needs_receipt: false }
        OrderPaymentRefunded { refunded: euros(450), total: euros(2_100) }
        ReturnCompleted { return_id: part }
        OrderShipped { carrier: Some("DHL".into()), tracking_number: None }
        ReturnRequested { return_id: refused, reason: reason(), needs_receipt: true }
        ReturnRefused { return_id: refused, reason: Some("The box is empty.".into()) }
        ReturnRequested { return_id: failed, reason: reason(), needs_receipt: true }
        ReturnReceived { return_id: failed }
        ReturnRefused { return_id: failed, reason: None }
        OrderDelivered {}
        ReturnRequested { return_id: rest, reason: reason(), needs_receipt: true }
        ReturnReceived { return_id: rest }
        OrderPaymentRefunded { refunded: euros(2_100), total: euros(2_100) }
        OrderReturned { return_id: rest }
    }
}

async fn declined(shop: &Shop) -> Expected {
    let order = shop.place_order().await;
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    shop.reply_refused(order.into(), "authorize_payment", "do", "card_declined")
        .await;
    shop.reply_done(order.into(), "reserve_stock", "undo").await;
    expected! { shop, order:
        OrderPlaced { total: euros(2_100), lines: lines() }
        StockReserved {}
        OrderPaymentFailed {}
        StockReleased {}
        OrderRejected { reason: "payment_declined".into(), total: euros(2_100) }
    }
}

async fn cancelled(shop: &Shop) -> Expected {
    let order = shop.place_order().await;
    for step in ["reserve_stock", "authorize_payment"] {
        shop.reply_done(order.into(), step, "do").await;
    }
    let reason = json!({"reason": "changed my mind"});
    shop.post(&format!("/v1/orders/{order}/cancel"), &reason)
        .await
        .expect(202);
    for step in ["pin_stock", "authorize_payment", "reserve_stock"] {
        shop.reply_done(order.into(), step, "undo").await;
    }
    expected! { shop, order:
        OrderPlaced { total: euros(2_100), lines: lines() }
        StockReserved {}
        OrderPaymentAuthorized {}
        OrderPaymentVoided {}
        StockReleased {}
        OrderCancelled { reason: "changed my mind".into(), total: euros(2_100) }
    }
}

#[tokio::test]
async fn the_events_of_each_order_are_published_to_kafka_in_order() {
    let shop = shop().await;
    let expected = [
        shipped_and_returned(&shop).await,
        declined(&shop).await,
        cancelled(&shop).await,
    ];
    let count = expected.iter().map(|(_, events)| events.len()).sum();

    let brokers = Brokers(testkit::kafka::brokers());
    let namespace = testkit::namespace();
    events::topics::create(&brokers, &namespace).await.unwrap();
    let relay = Relay::new::<OrderEvent>(shop.pool().clone(), &brokers, &namespace);
    let reader = Reader::new(&brokers, namespace);
    let events = testkit::eventually("the events are on Kafka", TIMEOUT, async || {
        relay.run_once().await.unwrap();
        let events = reader
            .read::<Vec<Envelope>>(topics::ORDERS, None, TIMEOUT)
            .await
            .unwrap()
            .events;
        (events.len() >= count).then_some(events)
    })
    .await;

    let mut published = BTreeMap::<String, (i64, Vec<OrderEvent>)>::new();
    for event in &events {
        let (last, decoded) = published.entry(event.aggregate_id.clone()).or_default();
        assert!(event.sequence > *last, "{event:?} after {last}");
        *last = event.sequence;
        decoded.push(event.decode().unwrap().expect("a type of the contract"));
    }
    for (order, events) in expected {
        assert_eq!(published.remove(&order.to_string()).unwrap().1, events);
    }
    assert!(published.is_empty(), "{published:?}");
}

#[tokio::test]
async fn events_from_before_publishing_was_introduced_are_not_published() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let revert = "DROP VIEW domain_events; DROP TABLE event_cursor;
        ALTER TABLE order_events DROP traceparent, DROP tracestate";
    for sql in [revert, MIGRATION] {
        sqlx::raw_sql(sql).execute(shop.pool()).await.unwrap();
    }
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    let waiting = "SELECT type FROM domain_events WHERE id > (SELECT id FROM event_cursor)";
    let waiting: Vec<String> = sqlx::query_scalar(waiting).fetch_all(shop.pool()).await.unwrap();
    assert_eq!(waiting, ["stock_reserved"]);
}
