//! Tests that no event is lost or reordered when Kafka is killed and restarted.

use std::sync::Arc;

use testkit::kafka::OwnKafka;
use tokio_util::sync::CancellationToken;

use crate::support::{LONG, Seen, World, deduplicated};

/// Runs a call of xtask, which blocks, outside the runtime's threads.
async fn blocking(kafka: &Arc<OwnKafka>, work: fn(&OwnKafka)) {
    let kafka = Arc::clone(kafka);
    tokio::task::spawn_blocking(move || work(&kafka)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_events_are_consumed_in_order_after_kafka_is_killed_and_restarted() {
    let kafka = tokio::task::spawn_blocking(OwnKafka::start).await.unwrap();
    let kafka = Arc::new(kafka);
    let world = World::on(kafka.brokers.clone()).await;
    let stop = CancellationToken::new();
    let relay = tokio::spawn(world.relay().run(stop.clone()));
    let seen = Arc::new(Seen::default());
    let consumer = tokio::spawn(world.consumer("reader").run(Arc::clone(&seen), stop.clone()));
    let order = world.order(5).await;
    testkit::eventually("the first events are consumed", LONG, async || {
        (!seen.events().is_empty()).then_some(())
    })
    .await;

    // Kill Kafka while events are being published.
    let mut conn = world.db.pool.acquire().await.unwrap();
    let killing = blocking(&kafka, OwnKafka::kill);
    let writing = async {
        for _ in 0..50 {
            crate::support::change(&mut conn, order).await;
        }
    };
    tokio::join!(killing, writing);
    world.order(20).await;
    blocking(&kafka, OwnKafka::restart).await;
    world.order(3).await;

    let written = world.written().await;
    testkit::eventually("all events are consumed", LONG, async || {
        (deduplicated(&seen.events()) == written).then_some(())
    })
    .await;

    // Relay and consumer stop even while Kafka is down.
    blocking(&kafka, OwnKafka::kill).await;
    world.order(1).await;
    stop.cancel();
    tokio::time::timeout(LONG, async { tokio::try_join!(relay, consumer) })
        .await
        .expect("both stop without Kafka")
        .unwrap();
}
