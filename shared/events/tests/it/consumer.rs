//! Consuming.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use contracts::events::topics;
use events::{Consumer, Handler, Received};
use tokio_util::sync::CancellationToken;

use crate::support::{LONG, Seen, World, first_met, next_batch};

/// Fails until it is mended.
#[derive(Debug, Default)]
struct Fragile {
    is_mended: AtomicBool,
    attempted: Seen,
    done: Seen,
}

impl Handler for Fragile {
    async fn handle(&self, batch: &[Received]) -> anyhow::Result<()> {
        self.attempted.keep(batch);
        anyhow::ensure!(self.is_mended.load(Ordering::SeqCst), "the database is away");
        self.done.keep(batch);
        Ok(())
    }
}

#[tokio::test]
async fn what_has_no_effect_yet_comes_again_and_what_has_does_not() {
    let world = World::start().await;
    let order = world.order(3).await;
    next_batch(&world.relay()).await;

    // Never succeeds, and ends: as a crash before the commit.
    let broken = Arc::new(Fragile::default());
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.consumer("mail").run(Arc::clone(&broken), stop.clone()));
    testkit::eventually("a second attempt", LONG, async || {
        (broken.attempted.events().len() >= 6).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
    assert!(broken.done.events().is_empty());

    // The same group begins where nothing was done.
    let whole = Arc::new(Fragile::default());
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.consumer("mail").run(Arc::clone(&whole), stop.clone()));
    testkit::eventually("an attempt", LONG, async || {
        (!whole.attempted.events().is_empty()).then_some(())
    })
    .await;
    whole.is_mended.store(true, Ordering::SeqCst);
    testkit::eventually("all are done", LONG, async || {
        (whole.done.events().len() >= 3).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
    assert_eq!(first_met(&whole.done.events()), world.written().await);

    // Once more, and only what is new comes.
    let later = world.order(1).await;
    next_batch(&world.relay()).await;
    let third = Arc::new(Seen::default());
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.consumer("mail").run(Arc::clone(&third), stop.clone()));
    testkit::eventually("the new one", LONG, async || {
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
    assert_eq!(keys, [later.to_string()], "not those of {order}");
}

#[tokio::test]
async fn a_reader_that_stands_still_is_seen_to_fall_behind() {
    let world = World::start().await;
    // The gauge is the process's: no other test has as many to read.
    world.order(17).await;
    next_batch(&world.relay()).await;
    let handler = Arc::new(Fragile::default());
    let stop = CancellationToken::new();
    // Of all topics, as services are.
    let consumer = Consumer::new(&world.brokers, world.namespace.clone(), "lag", &topics::ALL);
    let running = tokio::spawn(consumer.run(Arc::clone(&handler), stop.clone()));
    testkit::eventually("the gauge tells of all", LONG, async || {
        let metrics = telemetry::metrics::encode();
        metrics
            .contains(r#"events_consumer_lag{topic="orders.v1"} 17.0"#)
            .then_some(())
    })
    .await;
    assert!(handler.done.events().is_empty());
    handler.is_mended.store(true, Ordering::SeqCst);
    testkit::eventually("the gauge tells of none", LONG, async || {
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
async fn members_of_a_group_share_and_another_group_reads_all_again() {
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
        (first_met(&shared.events()) == written).then_some(())
    })
    .await;
    stop.cancel();
    for member in members {
        member.await.unwrap();
    }
    let again = world.read(|events| first_met(events) == written).await;
    assert_eq!(again.len(), 40);
}

/// Keeps what is no event apart.
#[derive(Debug, Default)]
struct Apart {
    good: Seen,
    bad: std::sync::Mutex<Vec<Received>>,
}

impl Handler for Apart {
    async fn handle(&self, batch: &[Received]) -> anyhow::Result<()> {
        self.good.keep(batch);
        let bad = batch.iter().filter(|received| received.event.is_err()).cloned();
        self.bad.lock().unwrap().extend(bad);
        Ok(())
    }
}

#[tokio::test]
async fn a_message_that_is_no_event_is_handed_over_as_such_and_holds_up_nobody() {
    let world = World::start().await;
    world.order(1).await;
    publish_nonsense(&world).await;
    world.order(1).await;
    next_batch(&world.relay()).await;
    let handler = Arc::new(Apart::default());
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.consumer("apart").run(Arc::clone(&handler), stop.clone()));
    testkit::eventually("the good and the bad", LONG, async || {
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

/// What no relay would.
async fn publish_nonsense(world: &World) {
    use rdkafka::producer::{FutureProducer, FutureRecord};
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", &world.brokers.0);
    let producer: FutureProducer = config.create().unwrap();
    let topic = world.namespace.name(topics::ORDERS);
    let record = FutureRecord::to(&topic).key("a").payload("no event");
    producer.send(record, LONG).await.unwrap();
}
