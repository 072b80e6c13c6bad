//! The provider's webhooks: verification of signatures, and the effects of events.

use std::time::Duration;

use messaging::Handler;
use payments::{Commands, signature};
use psp::Deliverer;
use serde_json::{Value, json};

use super::events::recorded_events;
use super::support::{API_KEY, Fixture, Order, SECRETS, read_response};

fn event(id: &str, kind: &str, object: &Value) -> String {
    json!({"id": id, "object": "event", "type": kind, "created": 0, "data": {"object": object}}).to_string()
}

async fn post(fixture: &Fixture, body: &str, signature: Option<&str>) -> u16 {
    let request = fixture
        .client
        .post(format!("{}/v1/webhooks/psp", fixture.url))
        .body(body.to_owned());
    let request = match signature {
        Some(value) => request.header("souk-signature", value),
        None => request,
    };
    let (status, problem) = read_response(request.send().await.unwrap()).await;
    if status >= 400 {
        assert_eq!(problem["status"], status, "{problem}");
    }
    status
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// Number of webhook events that were accepted.
async fn accepted_events(fixture: &Fixture) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM webhook_events");
    count.fetch_one(&fixture.database.pool).await.unwrap()
}

/// Delivers all events of the provider, as its own worker does.
async fn deliver_all(fixture: &Fixture) {
    let config = psp::config::Config {
        http_addr: "127.0.0.1:0".parse().unwrap(),
        admin_addr: "127.0.0.1:0".parse().unwrap(),
        database_url: "".into(),
        api_key: API_KEY.into(),
        webhook_url: format!("{}/v1/webhooks/psp", fixture.url),
        webhook_secret: SECRETS[0].into(),
        demo: true,
        log: None,
    };
    let deliverer = Deliverer::new(&fixture.psp, &config).unwrap();
    testkit::eventually(
        "the webhooks are delivered",
        Duration::from_secs(15),
        async || {
            deliverer.run_once().await.unwrap();
            let remaining = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM webhook_outbox");
            (remaining.fetch_one(&fixture.psp_database.pool).await.unwrap() == 0).then_some(())
        },
    )
    .await;
}

#[tokio::test]
async fn accepts_only_recent_signatures_with_a_known_secret() {
    let fixture = Fixture::start().await;
    let body = event("evt_1", "payment_intent.paused", &json!({}));
    let sign = |secret: &str, time| signature::sign(&secret.into(), time, body.as_bytes());
    for refused in [
        None,
        Some("t=1".to_owned()),
        Some(sign("whsec_guess", now())),
        Some(sign(SECRETS[0], now() - 310)),
        Some(sign(SECRETS[0], now() + 310)),
    ] {
        assert_eq!(
            post(&fixture, &body, refused.as_deref()).await,
            401,
            "{refused:?}"
        );
    }
    let changed = body.replace("evt_1", "evt_2");
    assert_eq!(
        post(&fixture, &changed, Some(&sign(SECRETS[0], now()))).await,
        401
    );
    assert_eq!(accepted_events(&fixture).await, 0);

    assert_eq!(
        post(&fixture, &body, Some(&sign(SECRETS[0], now()))).await,
        204,
        "an event of an unknown type is acknowledged"
    );
    assert_eq!(
        post(&fixture, &body, Some(&sign(SECRETS[1], now()))).await,
        204,
        "the second secret is accepted"
    );
    assert_eq!(accepted_events(&fixture).await, 1, "a duplicate is ignored");
    let malformed = "{}";
    let signed = signature::sign(&SECRETS[0].into(), now(), malformed.as_bytes());
    assert_eq!(post(&fixture, malformed, Some(&signed)).await, 400);
}

#[tokio::test]
async fn completes_a_capture_whose_response_was_lost() {
    let fixture = Fixture::start().await;
    let order = Order::paid_with("pm_card_ok");
    assert_eq!(fixture.outcome_of(&order.authorize()).await, "done");
    // The provider captures the payment, but payments does not receive the response.
    let capture = order.capture();
    let unavailable = Commands::new(fixture.with_unavailable_provider());
    unavailable.handle(capture.clone()).await.unwrap_err();
    let intent: String = sqlx::query_scalar("SELECT provider_id FROM payments")
        .fetch_one(&fixture.database.pool)
        .await
        .unwrap();
    let key = format!("capture:{}", order.payment);
    fixture
        .call_provider(&format!("/v1/payment_intents/{intent}/capture"), &key)
        .await;
    assert_eq!(fixture.status(&order).await, "capturing");
    assert_eq!(fixture.clearing_balance().await, 0);

    deliver_all(&fixture).await;
    assert_eq!(fixture.status(&order).await, "captured");
    fixture.assert_ledgers(1000).await;

    // Neither a second event with another id nor a redelivered command charges again.
    let object = json!({"id": intent, "amount": 1000, "metadata": {"order_id": order.id}});
    let repeated = event("evt_again", "payment_intent.captured", &object);
    let signed = signature::sign(&SECRETS[0].into(), now(), repeated.as_bytes());
    assert_eq!(post(&fixture, &repeated, Some(&signed)).await, 204);
    assert_eq!(fixture.outcome_of(&capture).await, "done");
    assert_eq!(fixture.movements().await, [1000]);
    fixture.assert_ledgers(1000).await;
}

#[tokio::test]
async fn events_of_known_outcomes_change_nothing() {
    let fixture = Fixture::start().await;
    let order = fixture.captured_order().await;
    assert_eq!(fixture.refund(&order, "k", &json!({"reason": "no"})).await.0, 202);
    let before = fixture.payment(&order).await;
    deliver_all(&fixture).await;
    assert_eq!(
        accepted_events(&fixture).await,
        3,
        "authorized, captured, refunded"
    );
    let after = fixture.payment(&order).await;
    assert_eq!(
        serde_json::to_value(before).unwrap(),
        serde_json::to_value(after).unwrap()
    );
    fixture.assert_ledgers(0).await;
}

#[tokio::test]
async fn a_reservation_canceled_by_the_provider_expires() {
    let fixture = Fixture::start().await;
    let order = Order::paid_with("pm_card_ok");
    assert_eq!(fixture.outcome_of(&order.authorize()).await, "done");
    let intent: String = sqlx::query_scalar("SELECT provider_id FROM payments")
        .fetch_one(&fixture.database.pool)
        .await
        .unwrap();
    fixture
        .call_provider(&format!("/v1/payment_intents/{intent}/cancel"), "lapsed")
        .await;
    deliver_all(&fixture).await;
    assert_eq!(fixture.status(&order).await, "expired");
    assert_eq!(
        recorded_events(&fixture, &order).await,
        ["payment_authorized", "payment_expired"]
    );
    assert_eq!(fixture.outcome_of(&order.capture()).await, "not_authorized");
    assert_eq!(fixture.outcome_of(&order.void()).await, "done");
}

#[tokio::test]
async fn an_event_about_another_intent_or_amount_changes_nothing() {
    let fixture = Fixture::start().await;
    let order = Order::paid_with("pm_card_ok");
    assert_eq!(fixture.outcome_of(&order.authorize()).await, "done");
    for (number, object) in [
        json!({"id": "pi_other", "amount": 1000, "metadata": {"order_id": order.id}}),
        json!({"id": "pi_other", "amount": 1, "metadata": {}}),
    ]
    .iter()
    .enumerate()
    {
        let body = event(&format!("evt_{number}"), "payment_intent.canceled", object);
        let signed = signature::sign(&SECRETS[0].into(), now(), body.as_bytes());
        assert_eq!(post(&fixture, &body, Some(&signed)).await, 204);
    }
    assert_eq!(fixture.status(&order).await, "authorized");
}
