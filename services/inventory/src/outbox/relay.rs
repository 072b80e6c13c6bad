//! Publishes what waits in the outboxes and takes it out when Kafka has confirmed. A crash between the two publishes the
//! same events again. Replicas need no lock: each begins a SKU with the oldest event that waits, so an event is never
//! in Kafka before its predecessor, however often both are.

use std::time::{Duration, Instant};

use bson::DateTime;
use contracts::events::{InventoryEvent, topics};
use events::{Brokers, Namespace, Producer, Rounds, rounds};
use telemetry::metrics::Counter;
use tokio_util::sync::CancellationToken;

use super::{catalog, store};
use crate::database::{self, Database};

/// How often what waits is counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);

static DROPPED: Counter = Counter::counter(
    "events_dropped",
    "Domain events given up because too many waited for one SKU",
);

/// The relay of inventory.
#[derive(Debug)]
pub struct Relay {
    db: Database,
    producer: Producer,
    counted: Option<Instant>,
}

impl Relay {
    /// From the stock documents of `db`. It connects when there is something to publish.
    #[must_use]
    pub fn new(db: Database, brokers: &Brokers, namespace: &Namespace) -> Self {
        Self {
            db,
            producer: Producer::new::<InventoryEvent>(brokers, namespace),
            counted: None,
        }
    }

    /// Publishes until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        rounds::run(topics::INVENTORY, self, shutdown).await;
    }

    /// Publishes one batch and returns how many events it had.
    pub async fn run_once(&self) -> anyhow::Result<usize> {
        let db = self.db.clone();
        let waiting = database::run_command(async move {
            catalog::tell_rest(&db).await?;
            store::waiting(&db).await
        })
        .await?;
        let events: Vec<_> = waiting.iter().flat_map(store::Outbox::envelopes).collect();
        if events.is_empty() {
            return Ok(0);
        }
        self.producer.publish(&events).await?;
        let db = self.db.clone();
        database::run_command(async move {
            for outbox in &waiting {
                let dropped = outbox.dropped();
                if dropped > 0 {
                    // Before its number is gone. What products are is not superseded by what stock is.
                    catalog::untell(&db, &outbox.sku).await?;
                }
                if store::forget(&db, outbox).await? {
                    DROPPED.of([("topic", topics::INVENTORY)]).inc_by(dropped);
                }
            }
            Ok(())
        })
        .await?;
        self.producer.published(events.len());
        Ok(events.len())
    }

    async fn count(&self) -> anyhow::Result<()> {
        let db = self.db.clone();
        let (events, age) = database::run_command(async move {
            let (events, oldest) = store::count(&db).await?;
            let age = match oldest {
                Some(oldest) => seconds(oldest, db.now().await?),
                None => 0.0,
            };
            Ok((events, age))
        })
        .await?;
        self.producer.waiting(events, age);
        // Shown from the start, so that a rate has a beginning.
        DROPPED.of([("topic", topics::INVENTORY)]).inc_by(0);
        Ok(())
    }
}

impl Rounds for Relay {
    /// Each document of a batch has an event at least.
    const FULL: usize = store::DOCUMENTS;

    async fn round(&mut self) -> anyhow::Result<usize> {
        if self.counted.is_none_or(|at| at.elapsed() >= COUNT_EVERY) {
            self.count().await?;
            self.counted = Some(Instant::now());
        }
        self.run_once().await
    }
}

fn seconds(from: DateTime, to: DateTime) -> f64 {
    to.saturating_duration_since(from).as_secs_f64()
}
