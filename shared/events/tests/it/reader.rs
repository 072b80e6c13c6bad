//! Tests of reading a topic without a consumer group.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::events::{Envelope, topics};
use events::{Excerpt, Reader};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
};

use crate::support::{LONG, World, next_batch};

async fn read(world: &World, since: Option<DateTime<Utc>>) -> Excerpt<Vec<Envelope>> {
    let reader = Reader::new(&world.brokers, world.namespace.clone());
    reader.read(topics::ORDERS, since, LONG).await.unwrap()
}

/// Deletes the messages of each partition before `end`, as Kafka does because of their age.
async fn delete(world: &World, end: Offset) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &world.brokers.0);
    let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
    let mut before = TopicPartitionList::new();
    for partition in 0..6 {
        let topic = world.namespace.name(topics::ORDERS);
        before.add_partition_offset(&topic, partition, end).unwrap();
    }
    admin.delete_records(&before, &AdminOptions::new()).await.unwrap();
}

#[tokio::test]
async fn a_reader_returns_existing_events_and_the_time_since_which_they_are_complete() {
    let world = World::start().await;
    let all = read(&world, None).await;
    assert!(all.events.is_empty() && all.complete_since.is_none());
    let relay = world.relay();
    // All events are of one order, and therefore in one partition.
    let order = world.order(2).await;
    next_batch(&relay).await;
    let mut conn = world.db.pool.acquire().await.unwrap();
    crate::support::change(&mut conn, order).await;
    next_batch(&relay).await;

    let events = read(&world, None).await.events;
    let numbers = |events: &[Envelope]| -> Vec<_> { events.iter().map(|event| event.sequence).collect() };
    assert_eq!(numbers(&events), [1, 2, 3]);
    let since = read(&world, Some(events[2].occurred_at)).await;
    assert_eq!((numbers(&since.events), since.complete_since), (vec![3], None));
    let later = read(&world, Some(Utc::now())).await;
    assert_eq!((numbers(&later.events), later.complete_since), (vec![], None));

    delete(&world, Offset::Offset(1)).await;
    let remaining = read(&world, None).await;
    assert_eq!(numbers(&remaining.events), [2, 3]);
    let oldest = events[1].occurred_at.timestamp_millis();
    assert_eq!(
        remaining.complete_since.map(|since| since.timestamp_millis()),
        Some(oldest)
    );

    // No message shows how old the deleted events were, but Kafka deletes by age only after 30 days.
    let deadline = Utc::now() - TimeDelta::days(30);
    delete(&world, Offset::End).await;
    let remaining = read(&world, None).await;
    assert!(remaining.events.is_empty());
    let since = remaining.complete_since.expect("events are missing");
    assert!(
        (deadline..Utc::now() - TimeDelta::days(29)).contains(&since),
        "{since}"
    );
}

#[tokio::test]
async fn a_reader_fails_if_no_broker_responds() {
    let brokers = events::Brokers("127.0.0.1:1".into());
    let reader = Reader::new(&brokers, events::Namespace::default());
    let timeout = std::time::Duration::from_millis(300);
    assert!(!reader.is_reachable(timeout).await);
    assert!(
        reader
            .read::<Vec<_>>(topics::ORDERS, None, timeout)
            .await
            .is_err()
    );
}
