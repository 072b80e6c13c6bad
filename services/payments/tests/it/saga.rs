//! The saga's commands: every magic payment method, compensation, and duplicate, concurrent or late deliveries.

use std::time::Duration;

use contracts::saga::{AuthorizePayment, Message};
use messaging::{HandleError, Handler};
use payments::Commands;
use tokio::time::Instant;

use super::support::{API_KEY, Fixture, Order, euros, incoming};

#[tokio::test]
async fn every_payment_method_has_the_expected_outcome() {
    let fixture = Fixture::start().await;
    for (method, authorized, captured, status) in [
        ("pm_card_ok", "done", "done", "captured"),
        ("pm_card_slow", "done", "done", "captured"),
        ("pm_card_flaky", "done", "done", "captured"),
        ("pm_card_declined", "card_declined", "not_authorized", "failed"),
        (
            "pm_card_insufficient_funds",
            "insufficient_funds",
            "not_authorized",
            "failed",
        ),
        (
            "pm_card_unknown",
            "unknown_payment_method",
            "not_authorized",
            "failed",
        ),
        (
            "pm_card_capture_declined",
            "done",
            "capture_declined",
            "authorized",
        ),
    ] {
        let order = Order::paid_with(method);
        assert_eq!(
            fixture.outcome_of(&order.authorize()).await,
            authorized,
            "{method}"
        );
        assert_eq!(fixture.outcome_of(&order.capture()).await, captured, "{method}");
        let payment = fixture.payment(&order).await;
        assert_eq!(payment.status.as_str(), status, "{method}");
        assert_eq!(payment.failure.is_none(), status == "captured", "{method}");
        let captured_cents = if status == "captured" { 1000 } else { 0 };
        assert_eq!(payment.captured, euros(captured_cents), "{method}");
        // The saga voids a payment that was not captured.
        if captured_cents == 0 {
            assert_eq!(fixture.outcome_of(&order.void()).await, "done", "{method}");
            assert!(
                fixture
                    .intents(&order)
                    .await
                    .iter()
                    .all(|state| state == "canceled"),
                "{method}"
            );
        }
    }
    fixture.assert_ledgers(3000).await;
}

#[tokio::test]
async fn a_lost_capture_response_leads_to_one_charge() {
    let fixture = Fixture::start().await;
    let order = Order::paid_with("pm_card_timeout_after_charge");
    assert_eq!(fixture.outcome_of(&order.authorize()).await, "done");
    let started = Instant::now();
    assert_eq!(fixture.outcome_of(&order.capture()).await, "done");
    assert!(
        started.elapsed() >= Duration::from_secs(5),
        "the first capture must have timed out"
    );
    assert_eq!(fixture.movements().await, [1000]);
    fixture.assert_ledgers(1000).await;
}

#[tokio::test]
async fn a_void_before_the_authorization_closes_the_order() {
    let fixture = Fixture::start().await;
    let order = Order::paid_with("pm_card_ok");
    assert_eq!(fixture.outcome_of(&order.void()).await, "done");
    assert_eq!(fixture.outcome_of(&order.authorize()).await, "closed");
    assert_eq!(fixture.outcome_of(&order.capture()).await, "not_authorized");
    assert!(
        fixture.intents(&order).await.is_empty(),
        "the provider must not be called"
    );
    let token = fixture.issuer.admin();
    let (_, page) = fixture
        .get(&format!("/v1/payments?order_id={}", order.id), &token)
        .await;
    assert_eq!(
        page["items"].as_array().unwrap().len(),
        0,
        "tombstones are not listed"
    );
}

#[tokio::test]
async fn a_void_closes_a_payment_that_the_provider_does_not_know() {
    let fixture = Fixture::start().await;
    let order = Order::paid_with("pm_card_ok");
    sqlx::query(
        "INSERT INTO payments (id, order_id, user_id, status, amount, currency, payment_method)
         VALUES ($1, $2, $3, 'created', 1000, 'EUR', 'pm_card_ok')",
    )
    .bind(order.payment.0)
    .bind(order.id.0)
    .bind(order.user.0)
    .execute(&fixture.database.pool)
    .await
    .unwrap();
    assert_eq!(fixture.outcome_of(&order.void()).await, "done");
    assert_eq!(fixture.status(&order).await, "voided");
    assert_eq!(fixture.outcome_of(&order.authorize()).await, "closed");
    assert!(fixture.intents(&order).await.is_empty());
}

#[tokio::test]
async fn an_authorization_that_reaches_the_provider_after_the_void_reserves_nothing() {
    let fixture = Fixture::start().await;
    let order = Order::paid_with("pm_card_ok");
    // The worker commits the pending authorization, but its call does not reach the provider yet.
    let authorize = order.authorize();
    let stalled = Commands::new(fixture.with_unavailable_provider());
    stalled.handle(authorize.clone()).await.unwrap_err();
    assert_eq!(fixture.status(&order).await, "authorizing");
    // Meanwhile the saga voids the payment.
    assert_eq!(fixture.outcome_of(&order.void()).await, "done");
    assert_eq!(fixture.intents(&order).await, ["canceled"]);
    // Now the worker's delayed call reaches the provider.
    let key = format!("authorize:{}", order.payment);
    let late = fixture
        .client
        .post(format!("{}/v1/payment_intents", fixture.psp_url))
        .bearer_auth(API_KEY)
        .header("idempotency-key", key)
        .json(&serde_json::json!({
            "amount": 1000, "currency": "EUR", "payment_method": "pm_card_ok", "capture_method": "manual",
            "metadata": {"order_id": order.id},
        }))
        .send()
        .await
        .unwrap();
    assert_eq!(late.status(), 200);
    assert_eq!(
        fixture.intents(&order).await,
        ["canceled"],
        "no second reservation"
    );
    // Redelivering the command reserves nothing either.
    assert_eq!(fixture.outcome_of(&authorize).await, "closed");
    assert_eq!(fixture.outcome_of(&order.authorize()).await, "closed");
    assert_eq!(
        (
            fixture.status(&order).await.as_str(),
            fixture.intents(&order).await
        ),
        ("voided", vec!["canceled".to_owned()])
    );
    fixture.assert_ledgers(0).await;
}

#[tokio::test]
async fn a_void_during_an_authorization_ends_as_voided() {
    let fixture = Fixture::start().await;
    let order = Order::paid_with("pm_card_slow");
    let (authorize, void) = (order.authorize(), order.void());
    let voided = async {
        testkit::eventually("the authorization begins", Duration::from_secs(5), async || {
            let status = sqlx::query_scalar::<_, String>("SELECT status FROM payments WHERE order_id = $1");
            let status = status
                .bind(order.id.0)
                .fetch_optional(&fixture.database.pool)
                .await
                .unwrap();
            (status.as_deref() == Some("authorizing")).then_some(())
        })
        .await;
        handle_with_retries(&fixture, &void).await;
    };
    tokio::join!(handle_with_retries(&fixture, &authorize), voided);
    assert_eq!(fixture.replies(&void).await, ["done"]);
    assert_eq!(fixture.status(&order).await, "voided");
    assert_eq!(fixture.intents(&order).await, ["canceled"]);
}

/// Handles the message with up to five attempts, as the retry queues would.
async fn handle_with_retries(fixture: &Fixture, message: &messaging::Incoming) {
    for _ in 0..5 {
        match fixture.handle(message).await {
            Ok(()) => return,
            Err(HandleError::Retry(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("not handled in five attempts");
}

#[tokio::test]
async fn three_deliveries_have_one_effect_and_three_equal_replies() {
    let fixture = Fixture::start().await;
    let order = Order::paid_with("pm_card_ok");
    for command in [order.authorize(), order.capture()] {
        for _ in 0..3 {
            fixture.handle(&command).await.unwrap();
        }
        assert_eq!(fixture.replies(&command).await, ["done"; 3]);
    }
    assert_eq!(fixture.intents(&order).await, ["succeeded"]);
    fixture.assert_ledgers(1000).await;
    assert_eq!(
        fixture.outcome_of(&order.void()).await,
        "captured",
        "a captured payment cannot be voided"
    );
    assert_eq!(fixture.status(&order).await, "captured");
}

#[tokio::test]
async fn concurrent_workers_charge_an_order_once() {
    let fixture = Fixture::start().await;
    let order = Order::paid_with("pm_card_ok");
    for command in [order.authorize(), order.capture()] {
        // The same message is delivered to several workers, as after a lost connection.
        futures::future::join_all((0..4).map(|_| handle_with_retries(&fixture, &command))).await;
    }
    assert_eq!(fixture.intents(&order).await, ["succeeded"]);
    fixture.assert_ledgers(1000).await;

    let order = Order::paid_with("pm_card_ok");
    assert_eq!(fixture.outcome_of(&order.authorize()).await, "done");
    // Several messages request the same capture.
    let captures: Vec<_> = (0..4).map(|_| order.capture()).collect();
    futures::future::join_all(
        captures
            .iter()
            .map(|command| handle_with_retries(&fixture, command)),
    )
    .await;
    fixture.assert_ledgers(2000).await;
}

#[tokio::test]
async fn commands_are_retried_while_the_provider_is_unavailable() {
    let fixture = Fixture::start().await;
    let order = Order::paid_with("pm_card_ok");
    let unavailable = Commands::new(fixture.with_unavailable_provider());
    for (command, status) in [(order.authorize(), "authorizing"), (order.capture(), "capturing")] {
        let error = unavailable.handle(command.clone()).await.unwrap_err();
        assert!(matches!(error, HandleError::Retry(_)), "{error}");
        assert_eq!(fixture.status(&order).await, status);
        assert!(fixture.replies(&command).await.is_empty());
        assert_eq!(fixture.outcome_of(&command).await, "done");
    }
    fixture.assert_ledgers(1000).await;
}

#[tokio::test]
async fn invalid_messages_are_poison() {
    let fixture = Fixture::start().await;
    let order = Order::paid_with("pm_card_ok");
    let command = order.authorize();
    assert_eq!(fixture.outcome_of(&command).await, "done");
    let mut other_body = Order::paid_with("pm_card_ok").authorize();
    other_body.id = command.id;
    let mut unknown = order.capture();
    unknown.kind = "payments.unknown.v1".into();
    let mut broken = order.capture();
    broken.body = b"{}".to_vec();
    let zero_amount = incoming(&AuthorizePayment {
        amount: euros(0),
        ..command.decode().unwrap()
    });
    assert_eq!(zero_amount.kind, AuthorizePayment::KIND);
    for message in [other_body, unknown, broken, zero_amount] {
        let error = fixture.handle(&message).await.unwrap_err();
        assert!(matches!(error, HandleError::Poison(_)), "{error}");
    }
}
