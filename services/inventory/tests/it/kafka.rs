//! A Kafka of one test's own, as far as it can tell, and what is told there.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use contracts::events::{Envelope, InventoryEvent, topics};
use events::{Brokers, Namespace, Reader};
use inventory::{database::Database, outbox::relay::Relay};

pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Topics of one test's own.
pub(crate) struct Kafka {
    pub(crate) brokers: Brokers,
    pub(crate) namespace: Namespace,
}

impl Kafka {
    pub(crate) async fn start() -> Self {
        let this = Self {
            brokers: Brokers(testkit::kafka::brokers()),
            namespace: Namespace::new(testkit::kafka::prefix()),
        };
        events::topics::create(&this.brokers, &this.namespace)
            .await
            .unwrap();
        this
    }

    pub(crate) fn relay(&self, db: &Database) -> Relay {
        Relay::new(db.clone(), &self.brokers, &self.namespace)
    }

    /// Publishes all that waits, and how much that was.
    pub(crate) async fn publish(&self, db: &Database) -> usize {
        let relay = self.relay(db);
        let mut all = 0;
        loop {
            match relay.run_once().await.unwrap() {
                0 => return all,
                published => all += published,
            }
        }
    }

    /// What is in the topic, repetitions among it, once there are `count` messages.
    pub(crate) async fn read(&self, count: usize) -> Vec<Envelope> {
        let reader = Reader::new(&self.brokers, self.namespace.clone());
        testkit::eventually("the events are in the topic", LONG, async || {
            let events: Vec<Envelope> = reader.read(topics::INVENTORY, None, LONG).await.unwrap().events;
            (events.len() >= count).then_some(events)
        })
        .await
    }
}

/// The events by SKU, each where it is met first, after their numbers and ids were checked: `from` on, without a gap.
pub(crate) fn told(events: &[Envelope], from: i64) -> BTreeMap<&str, Vec<InventoryEvent>> {
    let (mut met, mut told) = (HashSet::new(), BTreeMap::<_, Vec<_>>::new());
    for event in events.iter().filter(|event| met.insert(event.id)) {
        let sku = event.aggregate_id.as_str();
        let before: &mut Vec<_> = told.entry(sku).or_default();
        assert_eq!(
            event.sequence,
            from + i64::try_from(before.len()).unwrap(),
            "{sku}"
        );
        assert_eq!(
            event.id,
            Envelope::id(&format!("inventory/{sku}"), event.sequence)
        );
        before.push(event.decode::<InventoryEvent>().unwrap().unwrap());
    }
    told
}
