//! Refunds: by an operator, for a return, concurrently, and while the provider is unavailable.

use std::time::Duration;

use contracts::{
    ReturnId,
    saga::{Message, PaymentRefunded, RefundPayment},
};
use payments::RefundWorker;
use serde_json::{Value, json};

use super::support::{Fixture, Order, euros, incoming};

/// Body of a request for a partial refund.
fn partial(cents: i64) -> Value {
    json!({"amount": {"amount": cents, "currency": "EUR"}, "reason": "too small"})
}

#[tokio::test]
async fn a_partial_refund_and_then_the_remainder() {
    let fixture = Fixture::start().await;
    let order = fixture.captured_order().await;
    let (status, refund) = fixture.refund(&order, "k1", &partial(400)).await;
    assert_eq!((status, &refund["amount"]["amount"]), (202, &json!(400)));
    let payment = fixture.payment(&order).await;
    assert_eq!(
        (payment.status.as_str(), payment.refunded),
        ("partially_refunded", euros(400))
    );
    assert_eq!(payment.refunds.len(), 1);
    assert_eq!(json!(payment.refunds[0].id), refund["id"]);
    assert_eq!(
        fixture.refund(&order, "k1", &partial(400)).await,
        (202, refund),
        "a repetition returns the first response"
    );
    assert_eq!(
        fixture.refund(&order, "k1", &partial(300)).await.0,
        422,
        "the key was used with a different body"
    );
    assert_eq!(fixture.refund(&order, "k2", &partial(601)).await.0, 409);

    let (status, remainder) = fixture
        .refund(&order, "k3", &json!({"reason": "the remainder"}))
        .await;
    assert_eq!((status, &remainder["amount"]["amount"]), (202, &json!(600)));
    assert_eq!(fixture.payment(&order).await.status.as_str(), "refunded");
    assert_eq!(
        fixture
            .refund(&order, "k4", &json!({"reason": "too late"}))
            .await
            .0,
        409
    );
    fixture.assert_ledgers(0).await;
    assert_eq!(fixture.movements().await, [1000, -400, -600]);

    let notices: Vec<Value> =
        sqlx::query_scalar("SELECT body FROM outbox WHERE kind = $1 AND correlation_id = $2 ORDER BY id")
            .bind(PaymentRefunded::KIND)
            .bind(order.id.0)
            .fetch_all(&fixture.database.pool)
            .await
            .unwrap();
    let totals: Vec<_> = notices
        .iter()
        .map(|notice| notice["refunded"]["amount"].as_i64().unwrap())
        .collect();
    assert_eq!(totals, [400, 1000]);
}

#[tokio::test]
async fn concurrent_refunds_never_exceed_the_captured_amount() {
    let fixture = Fixture::start().await;
    let order = fixture.captured_order().await;
    let body = partial(300);
    let keys: Vec<_> = (0..10).map(|number| format!("race-{number}")).collect();
    let responses =
        futures::future::join_all(keys.iter().map(|key| fixture.refund(&order, key, &body))).await;
    let accepted = responses.iter().filter(|(status, _)| *status == 202).count();
    let refused = responses.iter().filter(|(status, _)| *status == 409).count();
    assert_eq!((accepted, refused), (3, 7), "{responses:?}");
    // A busy provider may confirm a refund after the response was sent.
    testkit::eventually("the refunds are confirmed", Duration::from_secs(30), async || {
        (fixture.payment(&order).await.refunded == euros(900)).then_some(())
    })
    .await;
    fixture.assert_ledgers(100).await;
}

#[tokio::test]
async fn a_return_is_refunded_once_and_at_most_the_remainder() {
    let fixture = Fixture::start().await;
    let order = fixture.captured_order().await;
    let command = |cents| RefundPayment {
        order_id: order.id,
        return_id: ReturnId::generate(),
        amount: euros(cents),
        reason: "returned".into(),
    };
    let returned = command(700);
    let message = incoming(&returned);
    for _ in 0..3 {
        fixture.handle(&message).await.unwrap();
    }
    assert_eq!(fixture.replies(&message).await, ["done"; 3]);
    // A second message for the same return.
    assert_eq!(fixture.outcome_of(&incoming(&returned)).await, "done");
    assert_eq!(fixture.movements().await, [1000, -700]);
    // Less than requested can still be refunded: first the remainder is refunded, then nothing. Both replies are `done`.
    assert_eq!(fixture.outcome_of(&incoming(&command(301))).await, "done");
    assert_eq!(fixture.outcome_of(&incoming(&command(301))).await, "done");
    assert_eq!(fixture.outcome_of(&incoming(&command(0))).await, "done");
    assert_eq!(fixture.movements().await, [1000, -700, -300]);
    assert_eq!(fixture.payment(&order).await.status.as_str(), "refunded");
    let unpaid = RefundPayment {
        order_id: contracts::OrderId::generate(),
        ..command(1)
    };
    assert_eq!(fixture.outcome_of(&incoming(&unpaid)).await, "exceeds_captured");
    let reserved = Order::paid_with("pm_card_ok");
    assert_eq!(fixture.outcome_of(&reserved.authorize()).await, "done");
    let reserved = RefundPayment {
        order_id: reserved.id,
        ..command(1)
    };
    assert_eq!(fixture.outcome_of(&incoming(&reserved)).await, "exceeds_captured");
    fixture.assert_ledgers(0).await;
}

#[tokio::test]
async fn a_refund_stays_pending_while_the_provider_is_unavailable() {
    let mut fixture = Fixture::start().await;
    let order = fixture.captured_order().await;
    let url = fixture.url.clone();
    fixture.url = testkit::spawn(payments::app::router(fixture.with_unavailable_provider())).await;
    assert_eq!(
        fixture.refund(&order, "k1", &json!({"reason": "broken"})).await.0,
        202
    );
    fixture.url = url;
    let payment = fixture.payment(&order).await;
    assert_eq!(
        (payment.status.as_str(), payment.refunded),
        ("captured", euros(0))
    );
    assert_eq!(
        fixture.refund(&order, "k2", &partial(1)).await.0,
        409,
        "the pending refund has reserved the whole amount"
    );
    fixture.assert_ledgers(1000).await;

    let worker = RefundWorker::new(fixture.app.clone());
    assert_eq!(
        worker.run_once().await.unwrap(),
        0,
        "the worker waits 30 seconds for the request to settle it"
    );
    sqlx::query("UPDATE refunds SET next_at = now()")
        .execute(&fixture.database.pool)
        .await
        .unwrap();
    assert_eq!(worker.run_once().await.unwrap(), 1);
    assert_eq!(fixture.payment(&order).await.status.as_str(), "refunded");
    assert_eq!(worker.run_once().await.unwrap(), 0);
    fixture.assert_ledgers(0).await;
}

#[tokio::test]
async fn shoppers_cannot_refund_even_their_own_payment() {
    let fixture = Fixture::start().await;
    let order = fixture.captured_order().await;
    let unknown = Order {
        payment: contracts::PaymentId::generate(),
        ..order.clone()
    };
    for user in [order.user, contracts::UserId::generate()] {
        let token = fixture.issuer.customer(user);
        for order in [&order, &unknown] {
            let (status, problem) = fixture.refund_as(&token, order, "k", &partial(400)).await;
            assert_eq!(status, 403, "{problem}");
        }
    }
    assert_eq!(fixture.payment(&order).await.refunded, euros(0));
    fixture.assert_ledgers(1000).await;
}

#[tokio::test]
async fn rejects_unknown_payments_and_invalid_requests() {
    let fixture = Fixture::start().await;
    let order = fixture.captured_order().await;
    let unknown = Order {
        payment: contracts::PaymentId::generate(),
        ..order.clone()
    };
    assert_eq!(fixture.refund(&unknown, "k", &partial(1)).await.0, 404);
    for bad in [
        partial(0),
        partial(-5),
        json!({"amount": {"amount": 1, "currency": "USD"}, "reason": "x"}),
        json!({"reason": ""}),
        json!({"reason": "x".repeat(501)}),
        json!({"reason": "x", "to": "me"}),
        json!({}),
    ] {
        let (status, problem) = fixture.refund(&order, "bad", &bad).await;
        assert_eq!(status, 422, "{bad}: {problem}");
        assert!(problem["errors"][0]["pointer"].is_string(), "{problem}");
    }
    let path = format!("{}/v1/payments/{}/refunds", fixture.url, order.payment);
    let without_key = fixture
        .client
        .post(path)
        .bearer_auth(fixture.issuer.admin())
        .json(&partial(1));
    assert_eq!(without_key.send().await.unwrap().status(), 400);
    let reserved = Order::paid_with("pm_card_ok");
    assert_eq!(fixture.outcome_of(&reserved.authorize()).await, "done");
    assert_eq!(
        fixture.refund(&reserved, "k", &partial(1)).await.0,
        409,
        "nothing was captured"
    );
    fixture.assert_ledgers(1000).await;
}
