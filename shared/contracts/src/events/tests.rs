//! Snapshots of the JSON of every event. A changed snapshot is a change of a public contract.

use chrono::{TimeZone as _, Utc};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::{Currency, Money, OrderId, PaymentId, ReturnId, Sku, UserId};

const ORDER: OrderId = OrderId(Uuid::from_u128(1));
const USER: UserId = UserId(Uuid::from_u128(2));
const PAYMENT: PaymentId = PaymentId(Uuid::from_u128(3));
const RETURN: ReturnId = ReturnId(Uuid::from_u128(4));

fn euros(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn sku() -> Sku {
    "TEA-0001".parse().unwrap()
}

fn envelope(event: &impl DomainEvent) -> Envelope {
    envelope_of(event, 7)
}

fn envelope_of<E: DomainEvent>(event: &E, sequence: i64) -> Envelope {
    Envelope {
        id: Envelope::id(E::SOURCE, sequence),
        kind: event.kind().into(),
        version: event.version(),
        source: E::SOURCE.into(),
        aggregate_id: ORDER.to_string(),
        sequence,
        occurred_at: Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap(),
        trace: Trace {
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
            tracestate: None,
        },
        data: event.data(),
    }
}

fn placed() -> OrderEvent {
    OrderPlaced {
        order_id: ORDER,
        user_id: USER,
        total: euros(1250),
        lines: vec![Line {
            sku: sku(),
            name: "Assam".into(),
            quantity: 2.try_into().unwrap(),
            unit_price: euros(625),
        }],
    }
    .into()
}

/// Type and data of each event, after checking that decoding returns the same event.
fn json_of<E: DomainEvent + PartialEq + std::fmt::Debug>(events: &[E]) -> Value {
    for event in events {
        let read: E = envelope(event).decode().unwrap().unwrap();
        assert_eq!(&read, event);
    }
    let by_type = events
        .iter()
        .map(|event| (format!("{}.v{}", event.kind(), event.version()), event.data()));
    Value::Object(by_type.collect())
}

#[test]
fn envelope_json() {
    insta::assert_json_snapshot!(envelope(&placed()));
}

#[test]
fn orders_events_json() {
    let (order_id, user_id) = (ORDER, USER);
    let confirmed = OrderConfirmed {
        order_id,
        user_id,
        total: euros(1250),
        lines: vec![],
    };
    insta::assert_json_snapshot!(json_of::<OrderEvent>(&[
        placed(),
        StockReserved { order_id, user_id }.into(),
        StockReleased { order_id, user_id }.into(),
        OrderPaymentAuthorized { order_id, user_id }.into(),
        OrderPaymentFailed { order_id, user_id }.into(),
        OrderPaymentCaptured { order_id, user_id }.into(),
        OrderPaymentVoided { order_id, user_id }.into(),
        confirmed.into(),
        OrderRejected {
            order_id,
            user_id,
            reason: "out_of_stock".into(),
            total: euros(1250)
        }
        .into(),
        OrderCancelled {
            order_id,
            user_id,
            reason: "changed my mind".into(),
            total: euros(1250)
        }
        .into(),
        OrderShipped {
            order_id,
            user_id,
            carrier: Some("DHL".into()),
            tracking_number: None
        }
        .into(),
        OrderDelivered { order_id, user_id }.into(),
        ReturnRequested {
            order_id,
            user_id,
            return_id: RETURN,
            reason: "too hot".into(),
            needs_receipt: true
        }
        .into(),
        ReturnReceived {
            order_id,
            user_id,
            return_id: RETURN
        }
        .into(),
        ReturnRefused {
            order_id,
            user_id,
            return_id: RETURN,
            reason: Some("The cup is broken.".into())
        }
        .into(),
        ReturnCompleted {
            order_id,
            user_id,
            return_id: RETURN
        }
        .into(),
        OrderReturned {
            order_id,
            user_id,
            return_id: RETURN
        }
        .into(),
        OrderPaymentRefunded {
            order_id,
            user_id,
            refunded: euros(625),
            total: euros(1250)
        }
        .into(),
    ]));
}

#[test]
fn payments_events_json() {
    let (payment_id, order_id, user_id, amount) = (PAYMENT, ORDER, USER, euros(1250));
    let (code, message) = ("card_declined".to_owned(), "The card was declined.".to_owned());
    insta::assert_json_snapshot!(json_of::<PaymentEvent>(&[
        PaymentAuthorized {
            payment_id,
            order_id,
            user_id,
            amount
        }
        .into(),
        PaymentFailed {
            payment_id,
            order_id,
            user_id,
            amount,
            code: code.clone(),
            message: message.clone()
        }
        .into(),
        PaymentCaptured {
            payment_id,
            order_id,
            user_id,
            amount
        }
        .into(),
        CaptureRefused {
            payment_id,
            order_id,
            user_id,
            amount,
            code,
            message
        }
        .into(),
        PaymentVoided {
            payment_id,
            order_id,
            user_id,
            amount
        }
        .into(),
        PaymentExpired {
            payment_id,
            order_id,
            user_id,
            amount
        }
        .into(),
        PaymentRefunded {
            payment_id,
            order_id,
            user_id,
            amount: euros(625),
            refund_id: Uuid::from_u128(5),
            reason: "too hot".into(),
            captured: amount,
            refunded: euros(625),
        }
        .into(),
    ]));
}

#[test]
fn inventory_events_json() {
    let product = ProductFacts {
        name: "Assam".into(),
        category: "tea".into(),
        price: euros(625),
        version: 3,
    };
    insta::assert_json_snapshot!(json_of::<InventoryEvent>(&[
        ProductCreated {
            sku: sku(),
            product: product.clone()
        }
        .into(),
        ProductChanged { sku: sku(), product }.into(),
        ProductDeleted { sku: sku() }.into(),
        StockChanged {
            sku: sku(),
            reason: "reserved".into(),
            on_hand: 10,
            available: 8,
            held: 2
        }
        .into(),
    ]));
}

#[test]
fn users_events_json() {
    let (user_id, email, name) = (USER, "ada@example.com".to_owned(), "Ada".to_owned());
    let locale = Some("de".to_owned());
    macro_rules! of {
        ($name:ident { $($field:ident: $value:expr),* }) => {
            $name { user_id, email: email.clone(), name: name.clone(), locale: locale.clone(), $($field: $value),* }.into()
        };
    }
    insta::assert_json_snapshot!(json_of::<UserEvent>(&[
        of!(UserRegistered {
            verification_id: Some(Uuid::from_u128(6))
        }),
        of!(VerificationRequested {
            verification_id: Uuid::from_u128(7)
        }),
        of!(EmailVerified {}),
        of!(VerificationExpired {}),
        of!(PasswordResetRequested {
            reset_id: Uuid::from_u128(8),
            registered_again: false
        }),
        of!(UserChanged {}),
        of!(PasswordChanged {}),
        of!(UserDisabled { reason: None }),
        of!(UserEnabled {}),
    ]));
}

#[test]
fn event_ids_are_stable_and_unique_per_source_and_row() {
    assert_eq!(Envelope::id("orders", 7), Envelope::id("orders", 7));
    assert_ne!(Envelope::id("orders", 7), Envelope::id("orders", 8));
    assert_ne!(Envelope::id("orders", 7), Envelope::id("payments", 7));
}

#[test]
fn unknown_fields_and_types_are_ignored_but_missing_fields_are_an_error() {
    let published = envelope(&placed());
    let mut json = serde_json::to_value(&published).unwrap();
    json["a_new_field"] = json!(1);
    json["data"]["gift"] = json!(true);
    json["data"]["lines"][0]["colour"] = json!("red");
    json.as_object_mut().unwrap().remove("trace");
    let read: Envelope = serde_json::from_value(json).unwrap();
    assert_eq!(read.decode::<OrderEvent>().unwrap(), Some(placed()));

    let changed = |change: fn(&mut Envelope)| {
        let mut envelope = published.clone();
        change(&mut envelope);
        envelope.decode::<OrderEvent>()
    };
    assert_eq!(changed(|it| it.kind = "order_gift_wrapped".into()).unwrap(), None);
    assert_eq!(changed(|it| it.version = 2).unwrap(), None);
    assert_eq!(changed(|it| it.source = "payments".into()).unwrap(), None);
    let error = changed(|it| it.data = json!({})).unwrap_err();
    assert!(error.to_string().contains("order_placed"), "{error}");
}
