//! Reading a topic without a group.

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

/// Deletes each partition's messages before that, as Kafka does by age.
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
async fn a_reader_sees_what_is_there_and_says_from_when_on_that_is_all() {
    let world = World::start().await;
    let all = read(&world, None).await;
    assert!(all.events.is_empty() && all.whole_since.is_none());
    let relay = world.relay();
    // Of one order, and so in one partition.
    let order = world.order(2).await;
    next_batch(&relay).await;
    let mut conn = world.db.pool.acquire().await.unwrap();
    crate::support::change(&mut conn, order).await;
    next_batch(&relay).await;

    let events = read(&world, None).await.events;
    let numbers = |events: &[Envelope]| -> Vec<_> { events.iter().map(|event| event.sequence).collect() };
    assert_eq!(numbers(&events), [1, 2, 3]);
    let since = read(&world, Some(events[2].occurred_at)).await;
    assert_eq!((numbers(&since.events), since.whole_since), (vec![3], None));
    let later = read(&world, Some(Utc::now())).await;
    assert_eq!((numbers(&later.events), later.whole_since), (vec![], None));

    delete(&world, Offset::Offset(1)).await;
    let left = read(&world, None).await;
    assert_eq!(numbers(&left.events), [2, 3]);
    let oldest = events[1].occurred_at.timestamp_millis();
    assert_eq!(
        left.whole_since.map(|since| since.timestamp_millis()),
        Some(oldest)
    );

    // Nothing is left to tell by how old what was deleted may be: by age, Kafka deletes after 30 days.
    let deadline = Utc::now() - TimeDelta::days(30);
    delete(&world, Offset::End).await;
    let left = read(&world, None).await;
    assert!(left.events.is_empty());
    let since = left.whole_since.expect("something is missing");
    assert!(
        (deadline..Utc::now() - TimeDelta::days(29)).contains(&since),
        "{since}"
    );
}

#[tokio::test]
async fn a_reader_gives_up_where_nobody_answers() {
    let brokers = events::Brokers("127.0.0.1:1".into());
    let reader = Reader::new(&brokers, events::Namespace::default());
    let patience = std::time::Duration::from_millis(300);
    assert!(!reader.answers(patience).await);
    assert!(
        reader
            .read::<Vec<_>>(topics::ORDERS, None, patience)
            .await
            .is_err()
    );
}
