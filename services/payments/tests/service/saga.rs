//! The saga's commands: every magic method, every undo, and every delivery that a broker may make.

use std::time::Duration;

use contracts::saga::{AuthorizePayment, Message};
use messaging::{HandleError, Handler};
use payments::Commands;
use tokio::time::Instant;

use super::support::{API_KEY, Order, World, euros, incoming};

#[tokio::test]
async fn every_method_ends_as_it_says() {
    let world = World::start().await;
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
            "pm_card_unheard_of",
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
        assert_eq!(world.ask(&order.authorize()).await, authorized, "{method}");
        assert_eq!(world.ask(&order.capture()).await, captured, "{method}");
        let payment = world.payment(&order).await;
        assert_eq!(payment.status.as_str(), status, "{method}");
        assert_eq!(payment.failure.is_none(), status == "captured", "{method}");
        let taken = if status == "captured" { 1000 } else { 0 };
        assert_eq!(payment.captured, euros(taken), "{method}");
        // What is not captured, the saga voids.
        if taken == 0 {
            assert_eq!(world.ask(&order.void()).await, "done", "{method}");
            assert!(
                world
                    .intents(&order)
                    .await
                    .iter()
                    .all(|state| state == "canceled"),
                "{method}"
            );
        }
    }
    world.assert_books(3000).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_charge_costs_one_charge() {
    let world = World::start().await;
    let order = Order::paid_with("pm_card_timeout_after_charge");
    assert_eq!(world.ask(&order.authorize()).await, "done");
    let started = Instant::now();
    assert_eq!(world.ask(&order.capture()).await, "done");
    assert!(
        started.elapsed() >= Duration::from_secs(5),
        "the first answer never came"
    );
    assert_eq!(world.movements().await, [1000]);
    world.assert_books(1000).await;
}

#[tokio::test]
async fn an_undo_before_its_do_closes_the_order() {
    let world = World::start().await;
    let order = Order::paid_with("pm_card_ok");
    assert_eq!(world.ask(&order.void()).await, "done");
    assert_eq!(world.ask(&order.authorize()).await, "closed");
    assert_eq!(world.ask(&order.capture()).await, "not_authorized");
    assert!(
        world.intents(&order).await.is_empty(),
        "the provider heard nothing of it"
    );
    let token = world.issuer.admin();
    let (_, page) = world
        .get(&format!("/v1/payments?order_id={}", order.id), &token)
        .await;
    assert_eq!(
        page["items"].as_array().unwrap().len(),
        0,
        "a tombstone is no payment"
    );
}

#[tokio::test]
async fn a_void_closes_a_payment_that_the_provider_was_not_asked_about() {
    let world = World::start().await;
    let order = Order::paid_with("pm_card_ok");
    sqlx::query(
        "INSERT INTO payments (id, order_id, user_id, status, amount, currency, payment_method)
         VALUES ($1, $2, $3, 'created', 1000, 'EUR', 'pm_card_ok')",
    )
    .bind(order.payment.0)
    .bind(order.id.0)
    .bind(order.user.0)
    .execute(&world.database.pool)
    .await
    .unwrap();
    assert_eq!(world.ask(&order.void()).await, "done");
    assert_eq!(world.status(&order).await, "voided");
    assert_eq!(world.ask(&order.authorize()).await, "closed");
    assert!(world.intents(&order).await.is_empty());
}

#[tokio::test]
async fn an_authorization_that_reaches_the_provider_after_the_void_reserves_nothing() {
    let world = World::start().await;
    let order = Order::paid_with("pm_card_ok");
    // The worker writes down what it will ask, and then stands still.
    let authorize = order.authorize();
    let stalled = Commands::new(world.without_provider());
    stalled.handle(authorize.clone()).await.unwrap_err();
    assert_eq!(world.status(&order).await, "authorizing");
    // The order is given up meanwhile.
    assert_eq!(world.ask(&order.void()).await, "done");
    assert_eq!(world.intents(&order).await, ["canceled"]);
    // Now the provider receives what the worker wrote down.
    let key = format!("authorize:{}", order.payment);
    let late = world
        .client
        .post(format!("{}/v1/payment_intents", world.psp_url))
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
    assert_eq!(world.intents(&order).await, ["canceled"], "no second reservation");
    // Nor does the command, however often it is delivered again.
    assert_eq!(world.ask(&authorize).await, "closed");
    assert_eq!(world.ask(&order.authorize()).await, "closed");
    assert_eq!(
        (world.status(&order).await.as_str(), world.intents(&order).await),
        ("voided", vec!["canceled".to_owned()])
    );
    world.assert_books(0).await;
}

#[tokio::test]
async fn a_void_ends_voided_although_the_authorization_is_in_flight() {
    let world = World::start().await;
    let order = Order::paid_with("pm_card_slow");
    let (authorize, void) = (order.authorize(), order.void());
    let voided = async {
        testkit::eventually("the authorization begins", Duration::from_secs(5), async || {
            let status = sqlx::query_scalar::<_, String>("SELECT status FROM payments WHERE order_id = $1");
            let status = status
                .bind(order.id.0)
                .fetch_optional(&world.database.pool)
                .await
                .unwrap();
            (status.as_deref() == Some("authorizing")).then_some(())
        })
        .await;
        retried(&world, &void).await;
    };
    tokio::join!(retried(&world, &authorize), voided);
    assert_eq!(world.replies(&void).await, ["done"]);
    assert_eq!(world.status(&order).await, "voided");
    assert_eq!(world.intents(&order).await, ["canceled"]);
}

/// As the retry queues would.
async fn retried(world: &World, message: &messaging::Incoming) {
    for _ in 0..5 {
        match world.handle(message).await {
            Ok(()) => return,
            Err(HandleError::Retry(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("not handled in five attempts");
}

#[tokio::test]
async fn three_deliveries_have_one_effect_and_three_equal_answers() {
    let world = World::start().await;
    let order = Order::paid_with("pm_card_ok");
    for command in [order.authorize(), order.capture()] {
        for _ in 0..3 {
            world.handle(&command).await.unwrap();
        }
        assert_eq!(world.replies(&command).await, ["done"; 3]);
    }
    assert_eq!(world.intents(&order).await, ["succeeded"]);
    world.assert_books(1000).await;
    assert_eq!(
        world.ask(&order.void()).await,
        "captured",
        "the money is taken, and no undo says otherwise"
    );
    assert_eq!(world.status(&order).await, "captured");
}

#[tokio::test]
async fn workers_that_race_on_one_order_are_safe() {
    let world = World::start().await;
    let order = Order::paid_with("pm_card_ok");
    for command in [order.authorize(), order.capture()] {
        // The same message at several workers, as after a lost connection.
        futures::future::join_all((0..4).map(|_| retried(&world, &command))).await;
    }
    assert_eq!(world.intents(&order).await, ["succeeded"]);
    world.assert_books(1000).await;

    let order = Order::paid_with("pm_card_ok");
    assert_eq!(world.ask(&order.authorize()).await, "done");
    // Different messages that ask for the same.
    let captures: Vec<_> = (0..4).map(|_| order.capture()).collect();
    futures::future::join_all(captures.iter().map(|command| retried(&world, command))).await;
    world.assert_books(2000).await;
}

#[tokio::test]
async fn a_provider_that_is_away_is_asked_again() {
    let world = World::start().await;
    let order = Order::paid_with("pm_card_ok");
    let away = Commands::new(world.without_provider());
    for (command, status) in [(order.authorize(), "authorizing"), (order.capture(), "capturing")] {
        let error = away.handle(command.clone()).await.unwrap_err();
        assert!(matches!(error, HandleError::Retry(_)), "{error}");
        assert_eq!(world.status(&order).await, status);
        assert!(world.replies(&command).await.is_empty());
        assert_eq!(world.ask(&command).await, "done");
    }
    world.assert_books(1000).await;
}

#[tokio::test]
async fn what_cannot_be_meant_is_poison() {
    let world = World::start().await;
    let order = Order::paid_with("pm_card_ok");
    let command = order.authorize();
    assert_eq!(world.ask(&command).await, "done");
    let mut other_body = Order::paid_with("pm_card_ok").authorize();
    other_body.id = command.id;
    let mut unknown = order.capture();
    unknown.kind = "payments.give_away.v1".into();
    let mut broken = order.capture();
    broken.body = b"{}".to_vec();
    let free = incoming(&AuthorizePayment {
        amount: euros(0),
        ..command.decode().unwrap()
    });
    assert_eq!(free.kind, AuthorizePayment::KIND);
    for message in [other_body, unknown, broken, free] {
        let error = world.handle(&message).await.unwrap_err();
        assert!(matches!(error, HandleError::Poison(_)), "{error}");
    }
}
