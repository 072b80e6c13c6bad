//! A Kafka that is killed and comes back.

use std::sync::Arc;

use testkit::kafka::OwnKafka;
use tokio_util::sync::CancellationToken;

use crate::support::{LONG, Seen, World, first_met};

/// Calls of xtask block.
async fn blocking(kafka: &Arc<OwnKafka>, work: fn(&OwnKafka)) {
    let kafka = Arc::clone(kafka);
    tokio::task::spawn_blocking(move || work(&kafka)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kafka_that_is_killed_and_comes_back_has_everything_in_order() {
    let kafka = tokio::task::spawn_blocking(OwnKafka::start).await.unwrap();
    let kafka = Arc::new(kafka);
    let world = World::on(kafka.brokers.clone()).await;
    let stop = CancellationToken::new();
    let relay = tokio::spawn(world.relay().run(stop.clone()));
    let seen = Arc::new(Seen::default());
    let consumer = tokio::spawn(world.consumer("reader").run(Arc::clone(&seen), stop.clone()));
    let order = world.order(5).await;
    testkit::eventually("the first are consumed", LONG, async || {
        (!seen.events().is_empty()).then_some(())
    })
    .await;

    // Killed while it is being written to.
    let mut conn = world.db.pool.acquire().await.unwrap();
    let killing = blocking(&kafka, OwnKafka::kill);
    let writing = async {
        for _ in 0..50 {
            crate::support::change(&mut conn, order).await;
        }
    };
    tokio::join!(killing, writing);
    world.order(20).await;
    blocking(&kafka, OwnKafka::start_again).await;
    world.order(3).await;

    let written = world.written().await;
    testkit::eventually("everything is consumed", LONG, async || {
        (first_met(&seen.events()) == written).then_some(())
    })
    .await;

    // Neither holds up the end of a process.
    blocking(&kafka, OwnKafka::kill).await;
    world.order(1).await;
    stop.cancel();
    tokio::time::timeout(LONG, async { tokio::try_join!(relay, consumer) })
        .await
        .expect("both end without Kafka")
        .unwrap();
}
