//! The provider's events: who is believed, and what they may change.

use std::time::Duration;

use messaging::Handler;
use payments::{Commands, signature};
use psp::Deliverer;
use serde_json::{Value, json};

use super::events::told;
use super::support::{API_KEY, Order, SECRETS, World, answer};

fn event(id: &str, kind: &str, object: &Value) -> String {
    json!({"id": id, "object": "event", "type": kind, "created": 0, "data": {"object": object}}).to_string()
}

async fn post(world: &World, body: &str, signature: Option<&str>) -> u16 {
    let request = world
        .client
        .post(format!("{}/v1/webhooks/psp", world.url))
        .body(body.to_owned());
    let request = match signature {
        Some(value) => request.header("souk-signature", value),
        None => request,
    };
    let (status, problem) = answer(request.send().await.unwrap()).await;
    if status >= 400 {
        assert_eq!(problem["status"], status, "{problem}");
    }
    status
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

async fn events(world: &World) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM webhook_events");
    count.fetch_one(&world.database.pool).await.unwrap()
}

/// Delivers all that the provider has to tell, as its own worker does.
async fn deliver(world: &World) {
    let config = psp::config::Config {
        http_addr: "127.0.0.1:0".parse().unwrap(),
        admin_addr: "127.0.0.1:0".parse().unwrap(),
        database_url: "".into(),
        api_key: API_KEY.into(),
        webhook_url: format!("{}/v1/webhooks/psp", world.url),
        webhook_secret: SECRETS[0].into(),
        demo: true,
        log: None,
    };
    let deliverer = Deliverer::new(&world.psp, &config).unwrap();
    testkit::eventually(
        "the webhooks are delivered",
        Duration::from_secs(15),
        async || {
            deliverer.run_once().await.unwrap();
            let left = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM webhook_outbox");
            (left.fetch_one(&world.psp_database.pool).await.unwrap() == 0).then_some(())
        },
    )
    .await;
}

#[tokio::test]
async fn believes_only_what_was_signed_just_now_with_a_secret_of_ours() {
    let world = World::start().await;
    let body = event("evt_1", "payment_intent.paused", &json!({}));
    let sign = |secret: &str, time| signature::sign(&secret.into(), time, body.as_bytes());
    for refused in [
        None,
        Some("t=1".to_owned()),
        Some(sign("whsec_guess", now())),
        Some(sign(SECRETS[0], now() - 310)),
        Some(sign(SECRETS[0], now() + 310)),
    ] {
        assert_eq!(post(&world, &body, refused.as_deref()).await, 401, "{refused:?}");
    }
    let changed = body.replace("evt_1", "evt_2");
    assert_eq!(post(&world, &changed, Some(&sign(SECRETS[0], now()))).await, 401);
    assert_eq!(events(&world).await, 0);

    assert_eq!(
        post(&world, &body, Some(&sign(SECRETS[0], now()))).await,
        204,
        "of an unknown type"
    );
    assert_eq!(
        post(&world, &body, Some(&sign(SECRETS[1], now()))).await,
        204,
        "the second secret"
    );
    assert_eq!(events(&world).await, 1, "one event, whatever it was signed with");
    let nonsense = "{}";
    let signed = signature::sign(&SECRETS[0].into(), now(), nonsense.as_bytes());
    assert_eq!(post(&world, nonsense, Some(&signed)).await, 400);
}

#[tokio::test]
async fn settles_what_a_lost_answer_left_open_and_moves_nothing_twice() {
    let world = World::start().await;
    let order = Order::paid_with("pm_card_ok");
    assert_eq!(world.ask(&order.authorize()).await, "done");
    // The provider takes the money, but payments does not hear its answer.
    let capture = order.capture();
    let deaf = Commands::new(world.without_provider());
    deaf.handle(capture.clone()).await.unwrap_err();
    let intent: String = sqlx::query_scalar("SELECT provider_id FROM payments")
        .fetch_one(&world.database.pool)
        .await
        .unwrap();
    let key = format!("capture:{}", order.payment);
    world
        .provider(&format!("/v1/payment_intents/{intent}/capture"), &key)
        .await;
    assert_eq!(world.status(&order).await, "capturing");
    assert_eq!(world.clearing().await, 0);

    deliver(&world).await;
    assert_eq!(world.status(&order).await, "captured");
    world.assert_books(1000).await;

    // The event again under another id, then the command again.
    let object = json!({"id": intent, "amount": 1000, "metadata": {"order_id": order.id}});
    let again = event("evt_again", "payment_intent.captured", &object);
    let signed = signature::sign(&SECRETS[0].into(), now(), again.as_bytes());
    assert_eq!(post(&world, &again, Some(&signed)).await, 204);
    assert_eq!(world.ask(&capture).await, "done");
    assert_eq!(world.movements().await, [1000]);
    world.assert_books(1000).await;
}

#[tokio::test]
async fn confirms_a_whole_payment_and_its_refund_without_effect() {
    let world = World::start().await;
    let order = world.captured().await;
    assert_eq!(world.refund(&order, "k", &json!({"reason": "no"})).await.0, 202);
    let before = world.payment(&order).await;
    deliver(&world).await;
    assert_eq!(events(&world).await, 3, "authorized, captured, refunded");
    let after = world.payment(&order).await;
    assert_eq!(
        serde_json::to_value(before).unwrap(),
        serde_json::to_value(after).unwrap()
    );
    world.assert_books(0).await;
}

#[tokio::test]
async fn a_reservation_that_the_provider_lets_go_expires() {
    let world = World::start().await;
    let order = Order::paid_with("pm_card_ok");
    assert_eq!(world.ask(&order.authorize()).await, "done");
    let intent: String = sqlx::query_scalar("SELECT provider_id FROM payments")
        .fetch_one(&world.database.pool)
        .await
        .unwrap();
    world
        .provider(&format!("/v1/payment_intents/{intent}/cancel"), "lapsed")
        .await;
    deliver(&world).await;
    assert_eq!(world.status(&order).await, "expired");
    assert_eq!(
        told(&world, &order).await,
        ["payment_authorized", "payment_expired"]
    );
    assert_eq!(world.ask(&order.capture()).await, "not_authorized");
    assert_eq!(world.ask(&order.void()).await, "done");
}

#[tokio::test]
async fn an_event_about_another_intent_or_amount_changes_nothing() {
    let world = World::start().await;
    let order = Order::paid_with("pm_card_ok");
    assert_eq!(world.ask(&order.authorize()).await, "done");
    for (number, object) in [
        json!({"id": "pi_other", "amount": 1000, "metadata": {"order_id": order.id}}),
        json!({"id": "pi_other", "amount": 1, "metadata": {}}),
    ]
    .iter()
    .enumerate()
    {
        let body = event(&format!("evt_{number}"), "payment_intent.canceled", object);
        let signed = signature::sign(&SECRETS[0].into(), now(), body.as_bytes());
        assert_eq!(post(&world, &body, Some(&signed)).await, 204);
    }
    assert_eq!(world.status(&order).await, "authorized");
}
