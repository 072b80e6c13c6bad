//! Money back: on request, for a return, in a race, and with a provider that is away.

use std::time::Duration;

use contracts::{
    ReturnId,
    saga::{Message, PaymentRefunded, RefundPayment},
};
use payments::RefundWorker;
use serde_json::{Value, json};

use super::support::{Order, World, euros, incoming};

fn part(cents: i64) -> Value {
    json!({"amount": {"amount": cents, "currency": "EUR"}, "reason": "too small"})
}

#[tokio::test]
async fn a_part_and_then_all_that_is_left() {
    let world = World::start().await;
    let order = world.captured().await;
    let (status, refund) = world.refund(&order, "k1", &part(400)).await;
    assert_eq!((status, &refund["amount"]["amount"]), (202, &json!(400)));
    let payment = world.payment(&order).await;
    assert_eq!(
        (payment.status.as_str(), payment.refunded),
        ("partially_refunded", euros(400))
    );
    assert_eq!(payment.refunds.len(), 1);
    assert_eq!(json!(payment.refunds[0].id), refund["id"]);
    assert_eq!(
        world.refund(&order, "k1", &part(400)).await,
        (202, refund),
        "a repetition changes nothing"
    );
    assert_eq!(
        world.refund(&order, "k1", &part(300)).await.0,
        422,
        "the key came with another body"
    );
    assert_eq!(world.refund(&order, "k2", &part(601)).await.0, 409);

    let (status, rest) = world.refund(&order, "k3", &json!({"reason": "all of it"})).await;
    assert_eq!((status, &rest["amount"]["amount"]), (202, &json!(600)));
    assert_eq!(world.payment(&order).await.status.as_str(), "refunded");
    assert_eq!(
        world
            .refund(&order, "k4", &json!({"reason": "once more"}))
            .await
            .0,
        409
    );
    world.assert_books(0).await;
    assert_eq!(world.movements().await, [1000, -400, -600]);

    let notices: Vec<Value> =
        sqlx::query_scalar("SELECT body FROM outbox WHERE kind = $1 AND correlation_id = $2 ORDER BY id")
            .bind(PaymentRefunded::KIND)
            .bind(order.id.0)
            .fetch_all(&world.database.pool)
            .await
            .unwrap();
    let totals: Vec<_> = notices
        .iter()
        .map(|notice| notice["refunded"]["amount"].as_i64().unwrap())
        .collect();
    assert_eq!(totals, [400, 1000]);
}

#[tokio::test]
async fn refunds_that_race_never_exceed_what_was_captured() {
    let world = World::start().await;
    let order = world.captured().await;
    let body = part(300);
    let keys: Vec<_> = (0..10).map(|number| format!("race-{number}")).collect();
    let answers = futures::future::join_all(keys.iter().map(|key| world.refund(&order, key, &body))).await;
    let promised = answers.iter().filter(|(status, _)| *status == 202).count();
    let refused = answers.iter().filter(|(status, _)| *status == 409).count();
    assert_eq!((promised, refused), (3, 7), "{answers:?}");
    // A busy provider confirms a refund after its request was answered.
    testkit::eventually("the refunds are confirmed", Duration::from_secs(30), async || {
        (world.payment(&order).await.refunded == euros(900)).then_some(())
    })
    .await;
    world.assert_books(100).await;
}

#[tokio::test]
async fn a_return_is_refunded_once_and_never_too_much() {
    let world = World::start().await;
    let order = world.captured().await;
    let command = |cents| RefundPayment {
        order_id: order.id,
        return_id: ReturnId::generate(),
        amount: euros(cents),
        reason: "returned".into(),
    };
    let returned = command(700);
    let message = incoming(&returned);
    for _ in 0..3 {
        world.handle(&message).await.unwrap();
    }
    assert_eq!(world.replies(&message).await, ["done"; 3]);
    // Another message for the same return.
    assert_eq!(world.ask(&incoming(&returned)).await, "done");
    assert_eq!(world.movements().await, [1000, -700]);
    // An operator's refund was faster: the remainder, and then nothing at all, and the items are restocked all the same.
    assert_eq!(world.ask(&incoming(&command(301))).await, "done");
    assert_eq!(world.ask(&incoming(&command(301))).await, "done");
    assert_eq!(world.ask(&incoming(&command(0))).await, "done");
    assert_eq!(world.movements().await, [1000, -700, -300]);
    assert_eq!(world.payment(&order).await.status.as_str(), "refunded");
    let unpaid = RefundPayment {
        order_id: contracts::OrderId::generate(),
        ..command(1)
    };
    assert_eq!(world.ask(&incoming(&unpaid)).await, "exceeds_captured");
    let reserved = Order::paid_with("pm_card_ok");
    assert_eq!(world.ask(&reserved.authorize()).await, "done");
    let reserved = RefundPayment {
        order_id: reserved.id,
        ..command(1)
    };
    assert_eq!(world.ask(&incoming(&reserved)).await, "exceeds_captured");
    world.assert_books(0).await;
}

#[tokio::test]
async fn a_refund_waits_for_a_provider_that_is_away() {
    let mut world = World::start().await;
    let order = world.captured().await;
    let here = world.url.clone();
    world.url = testkit::spawn(payments::router(world.without_provider())).await;
    assert_eq!(
        world.refund(&order, "k1", &json!({"reason": "broken"})).await.0,
        202
    );
    world.url = here;
    let payment = world.payment(&order).await;
    assert_eq!(
        (payment.status.as_str(), payment.refunded),
        ("captured", euros(0))
    );
    assert_eq!(
        world.refund(&order, "k2", &part(1)).await.0,
        409,
        "it is promised already"
    );
    world.assert_books(1000).await;

    let worker = RefundWorker::new(world.app.clone());
    assert_eq!(
        worker.run_once().await.unwrap(),
        0,
        "the request itself has half a minute"
    );
    sqlx::query("UPDATE refunds SET next_at = now()")
        .execute(&world.database.pool)
        .await
        .unwrap();
    assert_eq!(worker.run_once().await.unwrap(), 1);
    assert_eq!(world.payment(&order).await.status.as_str(), "refunded");
    assert_eq!(worker.run_once().await.unwrap(), 0);
    world.assert_books(0).await;
}

#[tokio::test]
async fn a_shopper_cannot_refund_not_even_their_own_payment() {
    let world = World::start().await;
    let order = world.captured().await;
    let unknown = Order {
        payment: contracts::PaymentId::generate(),
        ..order.clone()
    };
    for user in [order.user, contracts::UserId::generate()] {
        let token = world.issuer.customer(user);
        for order in [&order, &unknown] {
            let (status, problem) = world.refund_as(&token, order, "k", &part(400)).await;
            assert_eq!(status, 403, "{problem}");
        }
    }
    assert_eq!(world.payment(&order).await.refunded, euros(0));
    world.assert_books(1000).await;
}

#[tokio::test]
async fn refuses_what_does_not_exist_or_makes_no_sense() {
    let world = World::start().await;
    let order = world.captured().await;
    let unknown = Order {
        payment: contracts::PaymentId::generate(),
        ..order.clone()
    };
    assert_eq!(world.refund(&unknown, "k", &part(1)).await.0, 404);
    for bad in [
        part(0),
        part(-5),
        json!({"amount": {"amount": 1, "currency": "USD"}, "reason": "x"}),
        json!({"reason": ""}),
        json!({"reason": "x".repeat(501)}),
        json!({"reason": "x", "to": "me"}),
        json!({}),
    ] {
        let (status, problem) = world.refund(&order, "bad", &bad).await;
        assert_eq!(status, 422, "{bad}: {problem}");
        assert!(problem["errors"][0]["pointer"].is_string(), "{problem}");
    }
    let path = format!("{}/v1/payments/{}/refunds", world.url, order.payment);
    let without_key = world
        .client
        .post(path)
        .bearer_auth(world.issuer.admin())
        .json(&part(1));
    assert_eq!(without_key.send().await.unwrap().status(), 400);
    let reserved = Order::paid_with("pm_card_ok");
    assert_eq!(world.ask(&reserved.authorize()).await, "done");
    assert_eq!(
        world.refund(&reserved, "k", &part(1)).await.0,
        409,
        "nothing was captured"
    );
    world.assert_books(1000).await;
}
