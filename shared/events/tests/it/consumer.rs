//! Tests of consumers: redelivery, lag, groups and malformed messages.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use contracts::events::topics;
use events::{Consumer, Handler, Received};
use tokio_util::sync::CancellationToken;

use crate::support::{LONG, Seen, World, deduplicated, next_batch};

/// Fails until `is_working` is set.
#[derive(Debug, Default)]
struct Fragile {
    is_working: AtomicBool,
    attempted: Seen,
    processed: Seen,
}

impl Handler for Fragile {
    async fn handle(&self, batch: &[Received]) -> anyhow::Result<()> {
        self.attempted.record(batch);
        anyhow::ensure!(
            self.is_working.load(Ordering::SeqCst),
            "the database is unavailable"
        );
        self.processed.record(batch);
        Ok(())
    }
}

#[tokio::test]
async fn only_events_without_a_committed_effect_are_redelivered() {
    let world = World::start().await;
    let order = world.order(3).await;
    next_batch(&world.relay()).await;

    // Never succeeds before it is stopped, like a process that crashes before the commit.
    let broken = Arc::new(Fragile::default());
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.consumer("mail").run(Arc::clone(&broken), stop.clone()));
    testkit::eventually("a second attempt", LONG, async || {
        (broken.attempted.events().len() >= 6).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
    assert!(broken.processed.events().is_empty());

    // The same group starts at the first event without an effect.
    let whole = Arc::new(Fragile::default());
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.consumer("mail").run(Arc::clone(&whole), stop.clone()));
    testkit::eventually("an attempt", LONG, async || {
        (!whole.attempted.events().is_empty()).then_some(())
    })
    .await;
    whole.is_working.store(true, Ordering::SeqCst);
    testkit::eventually("all events are processed", LONG, async || {
        (whole.processed.events().len() >= 3).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
    assert_eq!(deduplicated(&whole.processed.events()), world.written().await);

    // A third run receives only the new event.
    let later = world.order(1).await;
    next_batch(&world.relay()).await;
    let third = Arc::new(Seen::default());
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.consumer("mail").run(Arc::clone(&third), stop.clone()));
    testkit::eventually("the new event is received", LONG, async || {
        (!third.events().is_empty()).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
    let keys: Vec<_> = third
        .events()
        .into_iter()
        .map(|event| event.aggregate_id)
        .collect();
    assert_eq!(keys, [later.to_string()], "events of {order} were redelivered");
}

#[tokio::test]
async fn the_lag_of_a_blocked_consumer_is_measured() {
    let world = World::start().await;
    // All tests of the process share the gauge, and no other test has this number of events.
    world.order(17).await;
    next_batch(&world.relay()).await;
    let handler = Arc::new(Fragile::default());
    let stop = CancellationToken::new();
    // Subscribe to all topics, as services do.
    let consumer = Consumer::new(&world.brokers, world.namespace.clone(), "lag", &topics::ALL);
    let running = tokio::spawn(consumer.run(Arc::clone(&handler), stop.clone()));
    testkit::eventually("the gauge shows all events", LONG, async || {
        let metrics = telemetry::metrics::encode();
        metrics
            .contains(r#"events_consumer_lag{topic="orders.v1"} 17.0"#)
            .then_some(())
    })
    .await;
    assert!(handler.processed.events().is_empty());
    handler.is_working.store(true, Ordering::SeqCst);
    testkit::eventually("the gauge shows no events", LONG, async || {
        let metrics = telemetry::metrics::encode();
        metrics
            .contains(r#"events_consumer_lag{topic="orders.v1"} 0.0"#)
            .then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn members_of_a_group_share_events_and_another_group_reads_all() {
    let world = World::start().await;
    for _ in 0..20 {
        world.order(2).await;
    }
    next_batch(&world.relay()).await;
    let shared = Arc::new(Seen::default());
    let stop = CancellationToken::new();
    let members: Vec<_> = (0..2)
        .map(|_| tokio::spawn(world.consumer("sales").run(Arc::clone(&shared), stop.clone())))
        .collect();
    let written = world.written().await;
    testkit::eventually("all are consumed", LONG, async || {
        (deduplicated(&shared.events()) == written).then_some(())
    })
    .await;
    stop.cancel();
    for member in members {
        member.await.unwrap();
    }
    let again = world.read(|events| deduplicated(events) == written).await;
    assert_eq!(again.len(), 40);
}

/// Records valid events and malformed messages separately.
#[derive(Debug, Default)]
struct Separating {
    good: Seen,
    bad: std::sync::Mutex<Vec<Received>>,
}

impl Handler for Separating {
    async fn handle(&self, batch: &[Received]) -> anyhow::Result<()> {
        self.good.record(batch);
        let bad = batch.iter().filter(|received| received.event.is_err()).cloned();
        self.bad.lock().unwrap().extend(bad);
        Ok(())
    }
}

#[tokio::test]
async fn a_malformed_message_is_reported_and_does_not_block_other_events() {
    let world = World::start().await;
    world.order(1).await;
    publish_malformed(&world).await;
    world.order(1).await;
    next_batch(&world.relay()).await;
    let handler = Arc::new(Separating::default());
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.consumer("apart").run(Arc::clone(&handler), stop.clone()));
    testkit::eventually("all messages are received", LONG, async || {
        let bad = handler.bad.lock().unwrap().len();
        (handler.good.events().len() == 2 && bad == 1).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
    let bad = handler.bad.lock().unwrap();
    assert_eq!(bad[0].topic, topics::ORDERS);
    let malformed = bad[0].event.clone().unwrap_err();
    assert_eq!(malformed.payload, b"no event");
}

/// Publishes a message that is not an event.
async fn publish_malformed(world: &World) {
    use rdkafka::producer::{FutureProducer, FutureRecord};
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", &world.brokers.0);
    let producer: FutureProducer = config.create().unwrap();
    let topic = world.namespace.name(topics::ORDERS);
    let record = FutureRecord::to(&topic).key("a").payload("no event");
    producer.send(record, LONG).await.unwrap();
}
