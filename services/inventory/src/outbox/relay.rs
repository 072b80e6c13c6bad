//! Publishes the pending events of the outboxes and removes them once Kafka has confirmed them. A crash in between publishes
//! the same events again. Replicas need no lock: each starts a SKU with its oldest pending event, so an event never reaches
//! Kafka before its predecessor, even if both are published several times.

use std::time::{Duration, Instant};

use bson::DateTime;
use contracts::events::{InventoryEvent, topics};
use events::{Brokers, Namespace, Producer, Rounds, rounds};
use telemetry::metrics::Counter;
use tokio_util::sync::CancellationToken;

use super::{catalog, store};
use crate::database::{self, Database};

/// Interval at which pending events are counted for the metrics.
const COUNT_EVERY: Duration = Duration::from_secs(5);

static DROPPED: Counter = Counter::counter(
    "events_dropped",
    "Domain events dropped because too many were pending for one SKU",
);

/// Publishes inventory's domain events from the stock documents to Kafka.
#[derive(Debug)]
pub struct Relay {
    db: Database,
    producer: Producer,
    counted: Option<Instant>,
}

impl Relay {
    /// Creates a relay for the stock documents of `db`. It connects to Kafka when there is something to publish.
    #[must_use]
    pub fn new(db: Database, brokers: &Brokers, namespace: &Namespace) -> Self {
        Self {
            db,
            producer: Producer::new::<InventoryEvent>(brokers, namespace),
            counted: None,
        }
    }

    /// Publishes events until `shutdown` is cancelled.
    pub async fn run(self, shutdown: CancellationToken) {
        rounds::run(topics::INVENTORY, self, shutdown).await;
    }

    /// Publishes one batch and returns its number of events. Fails if the database or Kafka is unavailable.
    pub async fn run_once(&self) -> anyhow::Result<usize> {
        let db = self.db.clone();
        let waiting = database::run_command(async move {
            catalog::record_missed(&db).await?;
            store::pending(&db).await
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
                    // Must precede the removal, which discards the number of dropped events. Newer stock levels do not
                    // supersede a dropped product event, so it is recorded again.
                    catalog::reset_recorded(&db, &outbox.sku).await?;
                }
                if store::remove_published(&db, outbox).await? {
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
        // Expose the counter from the start, so that rates can be computed.
        DROPPED.of([("topic", topics::INVENTORY)]).inc_by(0);
        Ok(())
    }
}

impl Rounds for Relay {
    /// Each document of a batch has at least one event.
    const FULL: usize = store::BATCH_DOCUMENTS;

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
