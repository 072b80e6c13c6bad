//! What is told of orders, from the log to Kafka.

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
use events::{Brokers, Namespace, Reader, Relay};
use serde_json::json;

use crate::{
    receipts::{receive, refuse},
    returns::{ask, saga_of},
    support::{Shop, shop},
};

const LONG: Duration = Duration::from_secs(30);
const MIGRATION: &str = include_str!("../../../../migrations/orders/0006_events.sql");

fn euros(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

/// The lines of [`Shop::order`].
fn lines() -> Vec<Line> {
    let line = |sku: &str, quantity, price| Line {
        sku: sku.parse().unwrap(),
        name: format!("A fine {sku}"),
        quantity: serde_json::from_value(json!(quantity)).unwrap(),
        unit_price: euros(price),
    };
    vec![line("TEA-1", 2, 450), line("CUP-1", 1, 1_200)]
}

/// The events of one order, in order. `OrderDelivered {}` is short for one with the two fields that all have.
macro_rules! story {
    ($shop:ident, $order:ident: $($name:ident { $($field:ident: $value:expr),* })+) => {
        ($order, vec![$(OrderEvent::from($name { order_id: $order, user_id: $shop.user, $($field: $value),* })),+])
    };
}

type Story = (OrderId, Vec<OrderEvent>);

/// Sold, returned in part, shipped, and returned in vain, twice, and then completely.
async fn sold_and_returned(shop: &Shop) -> Story {
    let order = shop.confirmed().await;
    let path = |what: &str| format!("/v1/orders/{order}/{what}");
    let come_back = async |saga: SagaId| {
        for step in ["refund_payment", "restock_items"] {
            shop.done(saga, step, "do").await;
        }
        ReturnId(saga.0)
    };
    let part = come_back(saga_of(&ask(shop, order, &[("TEA-1", 1)]).await)).await;
    shop.admin_post(&path("shipments"), &json!({"carrier": "DHL"}))
        .await
        .expect(201);
    let refused = ask(shop, order, &[("CUP-1", 1)]).await;
    refuse(shop, order, &refused, "The box is empty.")
        .await
        .expect(200);
    let refused = ReturnId(saga_of(&refused).0);
    let failed = ask(shop, order, &[("CUP-1", 1)]).await;
    receive(shop, order, &failed).await.expect(202);
    shop.refuse(saga_of(&failed), "refund_payment", "do", "exceeds_captured")
        .await;
    let failed = ReturnId(saga_of(&failed).0);
    shop.admin_post(&path("deliveries"), &json!({})).await.expect(201);
    let rest = ask(shop, order, &[("TEA-1", 1), ("CUP-1", 1)]).await;
    receive(shop, order, &rest).await.expect(202);
    let rest = come_back(saga_of(&rest)).await;
    assert!(shop.events(order).await.contains(&"saga_progressed".to_owned()));
    let reason = || "wrong colour".to_owned();
    story! { shop, order:
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

async fn declined(shop: &Shop) -> Story {
    let order = shop.order().await;
    shop.done(order.into(), "reserve_stock", "do").await;
    shop.refuse(order.into(), "authorize_payment", "do", "card_declined")
        .await;
    shop.done(order.into(), "reserve_stock", "undo").await;
    story! { shop, order:
        OrderPlaced { total: euros(2_100), lines: lines() }
        StockReserved {}
        OrderPaymentFailed {}
        StockReleased {}
        OrderRejected { reason: "payment_declined".into(), total: euros(2_100) }
    }
}

async fn cancelled(shop: &Shop) -> Story {
    let order = shop.order().await;
    for step in ["reserve_stock", "authorize_payment"] {
        shop.done(order.into(), step, "do").await;
    }
    let why = json!({"reason": "changed my mind"});
    shop.post(&format!("/v1/orders/{order}/cancel"), &why)
        .await
        .expect(202);
    for step in ["pin_stock", "authorize_payment", "reserve_stock"] {
        shop.done(order.into(), step, "undo").await;
    }
    story! { shop, order:
        OrderPlaced { total: euros(2_100), lines: lines() }
        StockReserved {}
        OrderPaymentAuthorized {}
        OrderPaymentVoided {}
        StockReleased {}
        OrderCancelled { reason: "changed my mind".into(), total: euros(2_100) }
    }
}

#[tokio::test]
async fn the_story_of_each_order_arrives_on_kafka_as_the_contract_says() {
    let shop = shop().await;
    let stories = [
        sold_and_returned(&shop).await,
        declined(&shop).await,
        cancelled(&shop).await,
    ];
    let count = stories.iter().map(|(_, story)| story.len()).sum();

    let brokers = Brokers(testkit::kafka::brokers());
    let namespace = Namespace::new(testkit::kafka::prefix());
    events::topics::create(&brokers, &namespace).await.unwrap();
    let relay = Relay::new::<OrderEvent>(shop.pool().clone(), &brokers, &namespace);
    let reader = Reader::new(&brokers, namespace);
    let events = testkit::eventually("the events are on Kafka", LONG, async || {
        relay.run_once().await.unwrap();
        let events = reader
            .read::<Vec<Envelope>>(topics::ORDERS, None, LONG)
            .await
            .unwrap()
            .events;
        (events.len() >= count).then_some(events)
    })
    .await;

    let mut told = BTreeMap::<String, (i64, Vec<OrderEvent>)>::new();
    for event in &events {
        let (last, story) = told.entry(event.aggregate_id.clone()).or_default();
        assert!(event.sequence > *last, "{event:?} after {last}");
        *last = event.sequence;
        story.push(event.decode().unwrap().expect("a type of the contract"));
    }
    for (order, story) in stories {
        assert_eq!(told.remove(&order.to_string()).unwrap().1, story);
    }
    assert!(told.is_empty(), "{told:?}");
}

#[tokio::test]
async fn what_was_before_events_were_told_is_not_told_afterwards() {
    let shop = shop().await;
    let order = shop.order().await;
    let back = "DROP VIEW domain_events; DROP TABLE event_cursor;
        ALTER TABLE order_events DROP traceparent, DROP tracestate";
    for sql in [back, MIGRATION] {
        sqlx::raw_sql(sql).execute(shop.pool()).await.unwrap();
    }
    shop.done(order.into(), "reserve_stock", "do").await;
    let waiting = "SELECT type FROM domain_events WHERE id > (SELECT id FROM event_cursor)";
    let waiting: Vec<String> = sqlx::query_scalar(waiting).fetch_all(shop.pool()).await.unwrap();
    assert_eq!(waiting, ["stock_reserved"]);
}
