//! Tests of the relay: order, late commits, concurrent relays and unavailable brokers.

use std::time::Duration;

use contracts::{
    OrderId,
    events::{Envelope, OrderEvent},
};
use events::{Brokers, Relay};
use tokio_util::sync::CancellationToken;

use crate::support::{LONG, World, change, deduplicated, next_batch};

/// How long to wait for an event that must not be published. A wrongly published one takes a few milliseconds.
const NOTHING_WITHIN: Duration = Duration::from_millis(500);

#[tokio::test]
async fn committed_events_are_published_once_and_in_order() {
    let world = World::start().await;
    let orders = (world.order(3).await, world.order(2).await);
    let mut rolled_back = world.db.pool.begin().await.unwrap();
    change(&mut rolled_back, orders.0).await;
    rolled_back.rollback().await.unwrap();
    let mut conn = world.db.pool.acquire().await.unwrap();
    change(&mut conn, orders.0).await;
    let relay = world.relay();
    assert_eq!(next_batch(&relay).await, 6);
    assert_eq!(relay.run_once().await.unwrap(), 0, "there is nothing new");

    let events = world.read(|events| events.len() >= 6).await;
    assert_eq!(events.len(), 6, "no event is published twice");
    assert_eq!(deduplicated(&events), world.written().await);
    let event = &events[0];
    assert_eq!(event.id, Envelope::id("orders", event.sequence));
    assert!(event.decode::<OrderEvent>().unwrap().is_some());
    assert!(event.trace.traceparent.as_ref().unwrap().starts_with("00-4bf92f"));
}

#[tokio::test]
async fn several_batches_are_published_in_order() {
    let world = World::start().await;
    sqlx::query(
        "INSERT INTO order_events (order_id, type, data)
         SELECT ('00000000-0000-0000-0000-00000000000' || n % 7)::uuid, 'stock_released', '{}' FROM generate_series(1, 1200) n",
    )
    .execute(&world.db.pool)
    .await
    .unwrap();
    let relay = world.relay();
    for expected in [500, 500, 200] {
        assert_eq!(next_batch(&relay).await, expected);
    }
    let events = world.read(|events| events.len() >= 1200).await;
    assert_eq!(deduplicated(&events), world.written().await);
}

#[tokio::test]
async fn the_relay_waits_for_a_transaction_that_commits_late() {
    let world = World::start().await;
    let relay = world.warmed_up_relay().await;
    let (early, late) = (OrderId::generate(), OrderId::generate());
    // Takes the lower row number, but commits after the other.
    let mut slow = world.db.pool.begin().await.unwrap();
    change(&mut slow, late).await;
    let mut fast = world.db.pool.acquire().await.unwrap();
    change(&mut fast, early).await;
    let publishing = tokio::time::timeout(NOTHING_WITHIN, relay.run_once()).await;
    assert!(publishing.is_err(), "published past a gap: {publishing:?}");
    slow.commit().await.unwrap();
    assert_eq!(next_batch(&relay).await, 2);
    let events = world.read(|events| events.len() >= 3).await;
    let mut sequences: Vec<_> = events.iter().map(|event| event.sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, [1, 2, 3]);
}

#[tokio::test]
async fn an_older_transaction_that_waits_for_a_newer_one_is_published_after_it() {
    let world = World::start().await;
    let relay = world.warmed_up_relay().await;
    let order = world.order(1).await;
    // The first has its transaction id before the newer one starts, but locks the order after it.
    let mut first = world.db.pool.begin().await.unwrap();
    sqlx::query("SELECT pg_current_xact_id()")
        .execute(&mut *first)
        .await
        .unwrap();
    let mut unrelated = world.db.pool.begin().await.unwrap();
    change(&mut unrelated, OrderId::generate()).await;
    let mut newer = world.db.pool.begin().await.unwrap();
    change(&mut newer, order).await;
    newer.commit().await.unwrap();
    change(&mut first, order).await;
    first.commit().await.unwrap();
    let publishing = tokio::time::timeout(NOTHING_WITHIN, relay.run_once()).await;
    assert!(
        publishing.is_err(),
        "an unrelated transaction may have a lower number: {publishing:?}"
    );
    unrelated.commit().await.unwrap();
    assert_eq!(next_batch(&relay).await, 4);
    let events = world.read(|events| events.len() >= 5).await;
    assert_eq!(deduplicated(&events), world.written().await);
}

#[tokio::test]
async fn the_relay_waits_for_a_newer_transaction_with_a_lower_number() {
    let world = World::start().await;
    let relay = world.warmed_up_relay().await;
    // Gets its transaction id first, and its row number last.
    let mut older = world.db.pool.begin().await.unwrap();
    sqlx::query("SELECT pg_current_xact_id()")
        .execute(&mut *older)
        .await
        .unwrap();
    let mut newer = world.db.pool.begin().await.unwrap();
    change(&mut newer, OrderId::generate()).await;
    change(&mut older, OrderId::generate()).await;
    // No newer transaction has ended, so the snapshots of others end with this one, too.
    older.commit().await.unwrap();
    let publishing = tokio::time::timeout(NOTHING_WITHIN, relay.run_once()).await;
    assert!(publishing.is_err(), "published past a gap: {publishing:?}");
    newer.commit().await.unwrap();
    assert_eq!(next_batch(&relay).await, 2);
}

#[tokio::test]
async fn a_transaction_of_another_database_does_not_delay_the_relay() {
    let (world, other) = (World::start().await, World::start().await);
    let mut long = other.db.pool.begin().await.unwrap();
    change(&mut long, OrderId::generate()).await;
    world.order(2).await;
    // Use the permissions of a service's account, which sees only part of other sessions.
    let role = format!("relay_{}", uuid::Uuid::new_v4().simple());
    let grants = format!(
        "CREATE ROLE {role}; GRANT SELECT ON domain_events TO {role}; GRANT SELECT, UPDATE ON event_cursor TO {role}"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(grants))
        .execute(&world.db.pool)
        .await
        .unwrap();
    let options = (*world.db.pool.connect_options())
        .clone()
        .options([("role", &role)]);
    let pool = sqlx::PgPool::connect_with(options).await.unwrap();
    let relay = Relay::new::<OrderEvent>(pool.clone(), &world.brokers, &world.namespace);
    assert_eq!(next_batch(&relay).await, 2);
    long.commit().await.unwrap();
    assert_eq!(next_batch(&other.relay()).await, 1);
    pool.close().await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "DROP OWNED BY {role}; DROP ROLE {role}"
    )))
    .execute(&world.db.pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn concurrent_relays_publish_all_events_in_order_during_writes() {
    let world = World::start().await;
    let stop = CancellationToken::new();
    let relays: Vec<_> = (0..3)
        .map(|_| tokio::spawn(world.relay().run(stop.clone())))
        .collect();
    let order = OrderId::generate();
    let writers = (0..6).map(|writer| {
        let pool = world.db.pool.clone();
        async move {
            // Half of the writers change the same order, and therefore wait for each other.
            let order = if writer % 2 == 0 {
                order
            } else {
                OrderId::generate()
            };
            for turn in 0..20 {
                let mut transaction = pool.begin().await.unwrap();
                change(&mut transaction, order).await;
                if turn % 5 == 4 {
                    transaction.rollback().await.unwrap();
                } else {
                    transaction.commit().await.unwrap();
                }
            }
        }
    });
    futures::future::join_all(writers).await;
    let written = world.written().await;
    let events = world.read(|events| deduplicated(events) == written).await;
    assert_eq!(deduplicated(&events).values().flatten().count(), 6 * 16);
    stop.cancel();
    for relay in relays {
        relay.await.unwrap();
    }
}

#[tokio::test]
async fn the_cursor_does_not_advance_without_a_broker() {
    let world = World::start().await;
    world.order(2).await;
    let no_broker = Brokers("127.0.0.1:1".into());
    let relay = Relay::new::<OrderEvent>(world.db.pool.clone(), &no_broker, &world.namespace);
    let error = testkit::eventually("a failure", LONG, async || relay.run_once().await.err()).await;
    assert!(error.to_string().contains("Kafka did not confirm"), "{error:#}");
    let cursor: i64 = sqlx::query_scalar("SELECT id FROM event_cursor")
        .fetch_one(&world.db.pool)
        .await
        .unwrap();
    assert_eq!(cursor, 0);
    assert_eq!(next_batch(&world.relay()).await, 2);
    let metrics = telemetry::metrics::encode();
    assert!(
        metrics.contains(r#"events_published_total{topic="orders.v1"}"#),
        "{metrics}"
    );
}
