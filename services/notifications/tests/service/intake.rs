//! Taking in events: once, in any order, and past what cannot be taken in.

use chrono::TimeDelta;
use contracts::{
    OrderId, UserId,
    events::{Envelope, OrderEvent, OrderRejected},
};
use events::{Handler as _, Malformed};
use notifications::consume::Intake;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Log, World, dump, euros, received};

/// Some of every kind, by aggregate.
fn story() -> Vec<Vec<Envelope>> {
    let mut log = Log::default();
    let (ada, bob) = (UserId::generate(), UserId::generate());
    let orders = [OrderId::generate(), OrderId::generate(), OrderId::generate()];
    let mut account = vec![log.registered(ada, Some("de"))];
    account.extend(log.moved(ada, "ada@new.test"));
    vec![
        account,
        vec![log.registered(bob, None)],
        log.bought(ada, orders[0]),
        log.bought(bob, orders[1]),
        log.rejected(bob, orders[2], "timeout"),
        vec![log.refunded(ada, orders[0])],
        log.renamed(),
    ]
}

/// One order of all of them in which each aggregate's own order stays, another for each `seed`.
fn shuffled(story: &[Vec<Envelope>], seed: usize) -> Vec<Envelope> {
    let mut rest: Vec<_> = story.iter().map(|events| events.iter()).collect();
    let mut result = vec![];
    let mut number = seed;
    while !rest.is_empty() {
        // A linear congruential generator (Knuth, MMIX): a test must be the same each time.
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
async fn an_event_has_its_effect_once_however_often_and_in_whatever_company_it_comes() {
    let story = story();
    let plain = World::start().await;
    plain.tell(&story.concat()).await;
    let told = dump(plain.pool()).await;
    let kinds: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT notice->>'kind', count(*), count(m.id) FROM notifications n LEFT JOIN mails m USING (id)
         GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(plain.pool())
    .await
    .unwrap();
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(kind, told, mails)| (kind.as_str(), *told, *mails))
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
    assert_eq!(told["recipients"].len(), 2);
    assert_eq!(plain.count("sales_steps").await, 8 * 2 + 2);
    assert!(
        told["notifications"]
            .iter()
            .all(|row| !row.to_string().contains("t0ken")),
        "on no list"
    );

    for seed in 1..4 {
        let wild = World::start().await;
        // Three deliveries, in batches that overlap, and all of an event's copies in one.
        let events = shuffled(&story, seed);
        for batch in events.chunks(7) {
            wild.tell(batch).await;
            wild.tell(&[batch, batch].concat()).await;
        }
        wild.tell(&events).await;
        let mut dump = dump(wild.pool()).await;
        let mut told = told.clone();
        for rows in dump.get_mut("mails").into_iter().chain(told.get_mut("mails")) {
            // When it was written down; all else must be the same.
            for row in rows {
                row["created_at"] = json!(null);
            }
        }
        assert_eq!(dump, told, "seed {seed}");
    }
}

#[tokio::test]
async fn two_replicas_that_take_in_the_same_at_once_do_it_once() {
    let events = story().concat();
    let world = World::start().await;
    let batch = received(&events);
    let (one, two) = tokio::join!(world.take(&batch), world.take(&batch));
    // One may have lost the race for a lock; it is asked again, as the consumer does.
    if one.is_err() || two.is_err() {
        world.take(&batch).await.unwrap();
    }
    assert_eq!(world.count("notifications").await, 11);
    assert_eq!(world.count("mails").await, 9);
}

#[tokio::test]
async fn what_cannot_be_taken_in_is_put_aside_and_what_is_not_known_is_passed_over() {
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
    let mut stranger = good.clone();
    "weather".clone_into(&mut stranger.source);
    let mut batch = received(&[good.clone(), undecodable, nul, unknown, newer, stranger, good]);
    batch[0].event = Err(Malformed {
        why: "expected value".to_owned(),
        payload: b"no event".to_vec(),
    });

    let world = World::start().await;
    for _ in 0..2 {
        world.take(&batch).await.unwrap();
    }
    assert_eq!(world.count("processed_events").await, 1);
    assert_eq!(world.count("notifications").await, 1, "what came after is done");
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
    assert_eq!(kept.data, json!({"order_id": 7}), "its bytes are there");
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
async fn a_reason_that_the_database_does_not_take_holds_up_nobody() {
    let user = UserId::generate();
    let good = Log::default().registered(user, None);
    let mut undecodable = good.clone();
    undecodable.data["user_id"] = json!("\0");
    // Both reasons quote what was sent.
    let payload = br#"{"id": "\u0000"}"#;
    let error = serde_json::from_slice::<Envelope>(payload).unwrap_err();
    let mut batch = received(&[good.clone(), undecodable, good]);
    batch[0].event = Err(Malformed {
        why: error.to_string(),
        payload: payload.to_vec(),
    });
    assert!(error.to_string().contains('\0'), "{error}");

    let world = World::start().await;
    world.take(&batch).await.unwrap();
    assert_eq!(world.count("poison_events").await, 2);
    assert_eq!(world.count("notifications").await, 1);
}

#[tokio::test]
async fn what_the_database_refuses_for_other_reasons_is_not_the_events_fault() {
    let world = World::start().await;
    sqlx::query("ALTER TABLE sales_steps RENAME TO away")
        .execute(world.pool())
        .await
        .unwrap();
    let events = Log::default().rejected(UserId::generate(), OrderId::generate(), "timeout");
    world.take(&received(&events)).await.unwrap_err();
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
    world.tell(&events).await;
    assert_eq!(world.count("notifications").await, 1);
}

#[tokio::test]
async fn old_news_makes_no_mail_and_very_old_news_is_not_told() {
    for (age, told, mails) in [
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
        events.extend(log.bought(user, OrderId::generate()));
        world.tell(&events).await;
        assert_eq!(
            (world.count("notifications").await, world.count("mails").await),
            (told, mails),
            "{age}"
        );
        assert_eq!(world.count("recipients").await, 1, "an address is never too old");
        assert_eq!(world.count("sales_orders").await, 1);
    }
}

#[tokio::test]
async fn whoever_takes_in_for_an_epoch_that_is_over_is_refused() {
    let world = World::start().await;
    let over = CancellationToken::new();
    let intake = Intake::begin(world.pool().clone(), over.clone()).await.unwrap();
    sqlx::query("UPDATE epoch SET number = number + 1")
        .execute(world.pool())
        .await
        .unwrap();
    let events = Log::default().bought(UserId::generate(), OrderId::generate());
    intake.handle(&received(&events)).await.unwrap_err();
    assert!(over.is_cancelled());
    assert_eq!(world.count("processed_events").await, 0);
}
