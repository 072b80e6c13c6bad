//! Domain events of payments, from the database to Kafka.

use std::time::Duration;

use contracts::events::{Envelope, PaymentEvent, PaymentRefunded, topics};
use events::{Brokers, Reader, Relay};
use serde_json::json;

use super::support::{Fixture, Order, euros};

const TIMEOUT: Duration = Duration::from_secs(30);

/// Returns the types of all events of the order's payment, oldest first.
pub(crate) async fn recorded_events(fixture: &Fixture, order: &Order) -> Vec<String> {
    sqlx::query_scalar("SELECT type FROM domain_events WHERE aggregate_id = $1 ORDER BY id")
        .bind(order.payment.to_string())
        .fetch_all(&fixture.database.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn each_change_is_recorded_once_despite_repetitions() {
    let fixture = Fixture::start().await;
    let order = fixture.captured_order().await;
    fixture.outcome_of(&order.capture()).await;
    let refund = json!({"amount": {"amount": 400, "currency": "EUR"}, "reason": "too small"});
    for _ in 0..2 {
        assert_eq!(fixture.refund(&order, "k1", &refund).await.0, 202);
    }
    let expected = ["payment_authorized", "payment_captured", "payment_refunded"];
    assert_eq!(recorded_events(&fixture, &order).await, expected);

    let declined = Order::paid_with("pm_card_declined");
    fixture.outcome_of(&declined.authorize()).await;
    assert_eq!(recorded_events(&fixture, &declined).await, ["payment_failed"]);

    let refused = Order::paid_with("pm_card_capture_declined");
    fixture.outcome_of(&refused.authorize()).await;
    fixture.outcome_of(&refused.capture()).await;
    assert_eq!(
        recorded_events(&fixture, &refused).await,
        ["payment_authorized", "capture_refused"]
    );

    let voided = Order::paid_with("pm_card_ok");
    fixture.outcome_of(&voided.authorize()).await;
    fixture.outcome_of(&voided.void()).await;
    assert_eq!(
        recorded_events(&fixture, &voided).await,
        ["payment_authorized", "payment_voided"]
    );

    let never = Order::paid_with("pm_card_ok");
    fixture.outcome_of(&never.void()).await;
    assert!(
        recorded_events(&fixture, &never).await.is_empty(),
        "a tombstone has no event"
    );
}

#[tokio::test]
async fn events_are_published_to_kafka_as_the_contract_defines() {
    let fixture = Fixture::start().await;
    let order = fixture.captured_order().await;
    let refund = json!({"amount": {"amount": 400, "currency": "EUR"}, "reason": "too small"});
    let (_, response) = fixture.refund(&order, "k1", &refund).await;

    let brokers = Brokers(testkit::kafka::brokers());
    let namespace = testkit::namespace();
    events::topics::create(&brokers, &namespace).await.unwrap();
    let relay = Relay::new::<PaymentEvent>(fixture.database.pool.clone(), &brokers, &namespace);
    let reader = Reader::new(&brokers, namespace);
    let events = testkit::eventually("the events are on Kafka", TIMEOUT, async || {
        relay.run_once().await.unwrap();
        let events = reader
            .read::<Vec<Envelope>>(topics::PAYMENTS, None, TIMEOUT)
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
        refund_id: serde_json::from_value(response["id"].clone()).unwrap(),
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
