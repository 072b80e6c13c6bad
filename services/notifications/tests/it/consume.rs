//! Consuming events: each takes effect once, in any order, and poison events do not block others.

use chrono::TimeDelta;
use contracts::{
    OrderId, UserId,
    events::{Envelope, OrderEvent, OrderRejected},
};
use events::{Handler as _, Malformed};
use notifications::consume::EventHandler;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Log, World, dump, euros, received};

/// Events of every kind, grouped by aggregate.
fn all_events() -> Vec<Vec<Envelope>> {
    let mut log = Log::default();
    let (ada, bob) = (UserId::generate(), UserId::generate());
    let orders = [OrderId::generate(), OrderId::generate(), OrderId::generate()];
    let mut account = vec![log.registered(ada, Some("de"))];
    account.extend(log.changed_address(ada, "ada@new.test"));
    vec![
        account,
        vec![log.registered(bob, None)],
        log.purchase(ada, orders[0]),
        log.purchase(bob, orders[1]),
        log.rejected(bob, orders[2], "timeout"),
        vec![log.refunded(ada, orders[0])],
        log.renamed(),
    ]
}

/// Interleaves the aggregates' events at random, keeping the order of each aggregate. Every `seed` gives another order.
fn shuffled(all_events: &[Vec<Envelope>], seed: usize) -> Vec<Envelope> {
    let mut rest: Vec<_> = all_events.iter().map(|events| events.iter()).collect();
    let mut result = vec![];
    let mut number = seed;
    while !rest.is_empty() {
        // A linear congruential generator (Knuth, MMIX), so that the test is deterministic.
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let index = (number >> 33) % rest.len();
        match rest[index].next() {
            Some(event) => result.push(event.clone()),
            None => drop(rest.remove(index)),
        }
    }
    result
}

#[tokio::test]
async fn an_event_takes_effect_once_despite_duplicates_reordering_and_batching() {
    let all_events = all_events();
    let plain = World::start().await;
    plain.consume(&all_events.concat()).await;
    let expected = dump(plain.pool()).await;
    let kinds: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT notice->>'kind', count(*), count(m.id) FROM notifications n LEFT JOIN mails m USING (id)
         GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(plain.pool())
    .await
    .unwrap();
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(kind, notices, mails)| (kind.as_str(), *notices, *mails))
        .collect();
    assert_eq!(
        kinds,
        [
            ("order_confirmed", 2, 2),
            ("order_delivered", 2, 0),
            ("order_rejected", 1, 1),
            ("order_shipped", 2, 2),
            ("password_changed", 1, 1),
            ("payment_refunded", 1, 1),
            ("welcome", 2, 2),
        ]
    );
    assert_eq!(expected["recipients"].len(), 2);
    assert_eq!(plain.count("sales_steps").await, 8 * 2 + 2);
    assert!(
        expected["notifications"]
            .iter()
            .all(|row| !row.to_string().contains("t0ken")),
        "no notification contains a token"
    );

    for seed in 1..4 {
        let repeated = World::start().await;
        // Deliver every event several times: in small batches, twice within one batch, and once more at the end.
        let events = shuffled(&all_events, seed);
        for batch in events.chunks(7) {
            repeated.consume(batch).await;
            repeated.consume(&[batch, batch].concat()).await;
        }
        repeated.consume(&events).await;
        let mut dump = dump(repeated.pool()).await;
        let mut expected = expected.clone();
        for rows in dump.get_mut("mails").into_iter().chain(expected.get_mut("mails")) {
            // The time of writing differs; everything else must be the same.
            for row in rows {
                row["created_at"] = json!(null);
            }
        }
        assert_eq!(dump, expected, "seed {seed}");
    }
}

#[tokio::test]
async fn two_replicas_that_consume_the_same_events_concurrently_apply_them_once() {
    let events = all_events().concat();
    let world = World::start().await;
    let batch = received(&events);
    let (one, two) = tokio::join!(world.handle(&batch), world.handle(&batch));
    // One replica may have failed because of a lock conflict; retry, as the consumer does.
    if one.is_err() || two.is_err() {
        world.handle(&batch).await.unwrap();
    }
    assert_eq!(world.count("notifications").await, 11);
    assert_eq!(world.count("mails").await, 9);
}

#[tokio::test]
async fn poison_events_are_stored_and_unknown_events_are_ignored() {
    let mut log = Log::default();
    let (user, order) = (UserId::generate(), OrderId::generate());
    let mut events = log.rejected(user, order, "timeout");
    let good = events.pop().unwrap();
    let mut undecodable = good.clone();
    undecodable.data = json!({"order_id": 7});
    let nul = log.event::<OrderEvent>(
        &order,
        OrderRejected {
            order_id: order,
            user_id: user,
            reason: "a\0b".to_owned(),
            total: euros(1),
        },
    );
    let mut unknown = good.clone();
    "order_gift_wrapped".clone_into(&mut unknown.kind);
    let mut newer = good.clone();
    newer.version = 2;
    let mut foreign = good.clone();
    "weather".clone_into(&mut foreign.source);
    let mut batch = received(&[good.clone(), undecodable, nul, unknown, newer, foreign, good]);
    batch[0].event = Err(Malformed {
        why: "expected value".to_owned(),
        payload: b"no event".to_vec(),
    });

    let world = World::start().await;
    for _ in 0..2 {
        world.handle(&batch).await.unwrap();
    }
    assert_eq!(world.count("processed_events").await, 1);
    assert_eq!(
        world.count("notifications").await,
        1,
        "the later event took effect"
    );
    let poison: Vec<(i64, Vec<u8>, String)> =
        sqlx::query_as(r#"SELECT "offset", payload, reason FROM poison_events ORDER BY 1"#)
            .fetch_all(world.pool())
            .await
            .unwrap();
    let offsets: Vec<_> = poison.iter().map(|(offset, ..)| *offset).collect();
    assert_eq!(offsets, [0, 1, 2]);
    assert_eq!(
        (poison[0].1.as_slice(), poison[0].2.as_str()),
        (&b"no event"[..], "expected value")
    );
    let kept: Envelope = serde_json::from_slice(&poison[1].1).unwrap();
    assert_eq!(
        kept.data,
        json!({"order_id": 7}),
        "the message is stored unchanged"
    );
    assert!(poison[1].2.contains("invalid type"), "{}", poison[1].2);
    assert!(
        poison[2].2.contains("Unicode") || poison[2].2.contains("0x00"),
        "{}",
        poison[2].2
    );
    let metrics = telemetry::metrics::encode();
    for line in [
        r#"type="none",outcome="poison""#,
        r#"type="other",outcome="ignored""#,
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}

#[tokio::test]
async fn a_reason_that_the_database_cannot_store_does_not_block_later_events() {
    let user = UserId::generate();
    let good = Log::default().registered(user, None);
    let mut undecodable = good.clone();
    undecodable.data["user_id"] = json!("\0");
    // Both reasons quote the message.
    let payload = br#"{"id": "\u0000"}"#;
    let error = serde_json::from_slice::<Envelope>(payload).unwrap_err();
    let mut batch = received(&[good.clone(), undecodable, good]);
    batch[0].event = Err(Malformed {
        why: error.to_string(),
        payload: payload.to_vec(),
    });
    assert!(error.to_string().contains('\0'), "{error}");

    let world = World::start().await;
    world.handle(&batch).await.unwrap();
    assert_eq!(world.count("poison_events").await, 2);
    assert_eq!(world.count("notifications").await, 1);
}

#[tokio::test]
async fn a_database_error_that_is_not_about_the_data_fails_the_batch() {
    let world = World::start().await;
    sqlx::query("ALTER TABLE sales_steps RENAME TO away")
        .execute(world.pool())
        .await
        .unwrap();
    let events = Log::default().rejected(UserId::generate(), OrderId::generate(), "timeout");
    world.handle(&received(&events)).await.unwrap_err();
    assert_eq!(
        (
            world.count("poison_events").await,
            world.count("processed_events").await
        ),
        (0, 0)
    );
    sqlx::query("ALTER TABLE away RENAME TO sales_steps")
        .execute(world.pool())
        .await
        .unwrap();
    world.consume(&events).await;
    assert_eq!(world.count("notifications").await, 1);
}

#[tokio::test]
async fn old_events_create_no_mail_and_very_old_events_no_notification() {
    for (age, notifications, mails) in [
        (TimeDelta::hours(23), 4, 3),
        (TimeDelta::hours(25), 4, 0),
        (TimeDelta::days(31), 0, 0),
    ] {
        let world = World::start().await;
        let mut log = Log {
            age,
            ..Log::default()
        };
        let user = UserId::generate();
        let mut events = vec![log.registered(user, None)];
        events.extend(log.purchase(user, OrderId::generate()));
        world.consume(&events).await;
        assert_eq!(
            (world.count("notifications").await, world.count("mails").await),
            (notifications, mails),
            "{age}"
        );
        assert_eq!(
            world.count("recipients").await,
            1,
            "an address is stored regardless of its age"
        );
        assert_eq!(world.count("sales_orders").await, 1);
    }
}

#[tokio::test]
async fn a_handler_of_an_ended_epoch_is_rejected() {
    let world = World::start().await;
    let epoch_ended = CancellationToken::new();
    let handler = EventHandler::for_current_epoch(world.pool().clone(), epoch_ended.clone())
        .await
        .unwrap();
    sqlx::query("UPDATE epoch SET number = number + 1")
        .execute(world.pool())
        .await
        .unwrap();
    let events = Log::default().purchase(UserId::generate(), OrderId::generate());
    handler.handle(&received(&events)).await.unwrap_err();
    assert!(epoch_ended.is_cancelled());
    assert_eq!(world.count("processed_events").await, 0);
}
