//! What is told of payments, from the log to Kafka.

use std::time::Duration;

use contracts::events::{Envelope, PaymentEvent, PaymentRefunded, topics};
use events::{Brokers, Namespace, Reader, Relay};
use serde_json::json;

use super::support::{Order, World, euros};

const LONG: Duration = Duration::from_secs(30);

pub(crate) async fn told(world: &World, order: &Order) -> Vec<String> {
    sqlx::query_scalar("SELECT type FROM domain_events WHERE aggregate_id = $1 ORDER BY id")
        .bind(order.payment.to_string())
        .fetch_all(&world.database.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn each_change_is_told_once_however_often_it_is_asked_for() {
    let world = World::start().await;
    let order = world.captured().await;
    world.ask(&order.capture()).await;
    let refund = json!({"amount": {"amount": 400, "currency": "EUR"}, "reason": "too small"});
    for _ in 0..2 {
        assert_eq!(world.refund(&order, "k1", &refund).await.0, 202);
    }
    let expected = ["payment_authorized", "payment_captured", "payment_refunded"];
    assert_eq!(told(&world, &order).await, expected);

    let declined = Order::paid_with("pm_card_declined");
    world.ask(&declined.authorize()).await;
    assert_eq!(told(&world, &declined).await, ["payment_failed"]);

    let refused = Order::paid_with("pm_card_capture_declined");
    world.ask(&refused.authorize()).await;
    world.ask(&refused.capture()).await;
    assert_eq!(
        told(&world, &refused).await,
        ["payment_authorized", "capture_refused"]
    );

    let voided = Order::paid_with("pm_card_ok");
    world.ask(&voided.authorize()).await;
    world.ask(&voided.void()).await;
    assert_eq!(
        told(&world, &voided).await,
        ["payment_authorized", "payment_voided"]
    );

    let never = Order::paid_with("pm_card_ok");
    world.ask(&never.void()).await;
    assert!(told(&world, &never).await.is_empty(), "no money, no event");
}

#[tokio::test]
async fn what_is_told_arrives_on_kafka_as_the_contract_says() {
    let world = World::start().await;
    let order = world.captured().await;
    let refund = json!({"amount": {"amount": 400, "currency": "EUR"}, "reason": "too small"});
    let (_, answer) = world.refund(&order, "k1", &refund).await;

    let brokers = Brokers(testkit::kafka::brokers());
    let namespace = Namespace::new(testkit::kafka::prefix());
    events::topics::create(&brokers, &namespace).await.unwrap();
    let relay = Relay::new::<PaymentEvent>(world.database.pool.clone(), &brokers, &namespace);
    let reader = Reader::new(&brokers, namespace);
    let events = testkit::eventually("the events are on Kafka", LONG, async || {
        relay.run_once().await.unwrap();
        let events = reader
            .read::<Vec<Envelope>>(topics::PAYMENTS, None, LONG)
            .await
            .unwrap()
            .events;
        (events.len() >= 3).then_some(events)
    })
    .await;
    let decoded: Vec<PaymentEvent> = events
        .iter()
        .map(|event| event.decode().unwrap().expect("a type of the contract"))
        .collect();
    assert!(matches!(
        decoded[..],
        [
            PaymentEvent::PaymentAuthorized(_),
            PaymentEvent::PaymentCaptured(_),
            PaymentEvent::PaymentRefunded(_)
        ]
    ));
    let expected = PaymentRefunded {
        payment_id: order.payment,
        order_id: order.id,
        user_id: order.user,
        refund_id: serde_json::from_value(answer["id"].clone()).unwrap(),
        amount: euros(400),
        reason: "too small".into(),
        captured: euros(1000),
        refunded: euros(400),
    };
    assert_eq!(decoded[2], expected.into());
    assert!(
        events
            .iter()
            .all(|event| event.aggregate_id == order.payment.to_string())
    );
}
