//! Kafka topics that belong to one test, and helpers to publish and read events.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use contracts::events::{Envelope, InventoryEvent, topics};
use events::{Brokers, Namespace, Reader};
use inventory::{database::Database, outbox::relay::Relay};

pub(crate) const KAFKA_TIMEOUT: Duration = Duration::from_secs(30);

/// Kafka topics with a prefix that belongs to one test.
pub(crate) struct Kafka {
    pub(crate) brokers: Brokers,
    pub(crate) namespace: Namespace,
}

impl Kafka {
    pub(crate) async fn start() -> Self {
        let this = Self {
            brokers: Brokers(testkit::kafka::brokers()),
            namespace: testkit::namespace(),
        };
        events::topics::create(&this.brokers, &this.namespace)
            .await
            .unwrap();
        this
    }

    pub(crate) fn relay(&self, db: &Database) -> Relay {
        Relay::new(db.clone(), &self.brokers, &self.namespace)
    }

    /// Publishes every pending event and returns their number.
    pub(crate) async fn publish(&self, db: &Database) -> usize {
        let relay = self.relay(db);
        let mut total = 0;
        loop {
            match relay.run_once().await.unwrap() {
                0 => return total,
                published => total += published,
            }
        }
    }

    /// Waits until the topic has `count` messages, and returns them including duplicates.
    pub(crate) async fn read(&self, count: usize) -> Vec<Envelope> {
        let reader = Reader::new(&self.brokers, self.namespace.clone());
        testkit::eventually("the events are in the topic", KAFKA_TIMEOUT, async || {
            let events: Vec<Envelope> = reader
                .read(topics::INVENTORY, None, KAFKA_TIMEOUT)
                .await
                .unwrap()
                .events;
            (events.len() >= count).then_some(events)
        })
        .await
    }
}

/// Groups the events by SKU without duplicates, after checking that ids match and that sequence numbers start at `from` and
/// have no gaps.
pub(crate) fn events_by_sku(events: &[Envelope], from: i64) -> BTreeMap<&str, Vec<InventoryEvent>> {
    let (mut ids, mut by_sku) = (HashSet::new(), BTreeMap::<_, Vec<_>>::new());
    for event in events.iter().filter(|event| ids.insert(event.id)) {
        let sku = event.aggregate_id.as_str();
        let events_of_sku: &mut Vec<_> = by_sku.entry(sku).or_default();
        assert_eq!(
            event.sequence,
            from + i64::try_from(events_of_sku.len()).unwrap(),
            "{sku}"
        );
        assert_eq!(
            event.id,
            Envelope::id(&format!("inventory/{sku}"), event.sequence)
        );
        events_of_sku.push(event.decode::<InventoryEvent>().unwrap().unwrap());
    }
    by_sku
}
