//! A Kafka of one test's own, as far as it can tell, and what is told there.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use contracts::events::{Envelope, InventoryEvent, topics};
use events::{Brokers, Consumer, Handler, Namespace, Received};
use inventory::{database::Database, outbox::relay::Relay};
use tokio_util::sync::CancellationToken;

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

    /// The first `count` messages of the topic, repetitions among them.
    pub(crate) async fn read(&self, count: usize) -> Vec<Envelope> {
        let group = format!("reader-{}", uuid::Uuid::now_v7());
        let consumer = Consumer::new(
            &self.brokers,
            self.namespace.clone(),
            &group,
            &[topics::INVENTORY],
        );
        let seen = Arc::new(Seen::default());
        let stop = CancellationToken::new();
        let running = tokio::spawn(consumer.run(Arc::clone(&seen), stop.clone()));
        let all = || seen.0.lock().unwrap().clone();
        testkit::eventually("the events are in the topic", LONG, async || {
            (all().len() >= count).then_some(())
        })
        .await;
        stop.cancel();
        running.await.unwrap();
        all()
    }
}

#[derive(Debug, Default)]
struct Seen(Mutex<Vec<Envelope>>);

impl Handler for Seen {
    async fn handle(&self, batch: &[Received]) -> anyhow::Result<()> {
        let events = batch.iter().map(|received| received.event.clone().unwrap());
        self.0.lock().unwrap().extend(events);
        Ok(())
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
