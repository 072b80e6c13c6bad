//! Queries that read pending events from the outboxes and remove published ones.

use bson::{Bson, DateTime, Document, doc};
use contracts::events::{Envelope, Trace};
use futures::TryStreamExt as _;
use serde::Deserialize;
use serde_json::Value;

use crate::{Error, database::Database};

/// Maximum number of documents in a batch.
pub(super) const BATCH_DOCUMENTS: usize = 50;
/// Maximum number of events per document in a batch.
const BATCH_EVENTS: i32 = 100;
/// Maximum number of documents that are read to count pending events.
const MAX_COUNTED: i64 = 10_000;

/// The pending events of one SKU, up to the limit of a batch.
#[derive(Debug, Deserialize)]
pub(super) struct Outbox {
    #[serde(rename = "_id")]
    pub(super) sku: String,
    /// Sequence number of the last published event.
    #[serde(default)]
    events_told: i64,
    pending_events: Vec<Pending>,
}

#[derive(Debug, Deserialize)]
struct Pending {
    sequence: i64,
    #[serde(rename = "type")]
    kind: String,
    version: u32,
    at: DateTime,
    data: Value,
    #[serde(default)]
    traceparent: Option<String>,
    #[serde(default)]
    tracestate: Option<String>,
}

impl Outbox {
    /// Number of events that were dropped before the pending ones.
    pub(super) fn dropped(&self) -> u64 {
        u64::try_from(self.first() - self.events_told - 1).unwrap_or_default()
    }

    /// Sequence number of the first pending event, or 0 if there is none.
    fn first(&self) -> i64 {
        self.pending_events.first().map_or(0, |event| event.sequence)
    }

    /// Sequence number of the last pending event, or 0 if there is none.
    pub(super) fn last(&self) -> i64 {
        self.pending_events.last().map_or(0, |event| event.sequence)
    }

    /// The pending events as messages. They are identical each time, so consumers recognize duplicates.
    pub(super) fn envelopes(&self) -> impl Iterator<Item = Envelope> {
        let log = format!("inventory/{}", self.sku);
        self.pending_events.iter().map(move |event| Envelope {
            id: Envelope::id(&log, event.sequence),
            kind: event.kind.clone(),
            version: event.version,
            source: "inventory".to_owned(),
            aggregate_id: self.sku.clone(),
            sequence: event.sequence,
            occurred_at: event.at.to_chrono(),
            trace: Trace {
                traceparent: event.traceparent.clone(),
                tracestate: event.tracestate.clone(),
            },
            data: event.data.clone(),
        })
    }
}

fn has_pending() -> Document {
    doc! {"pending_events.sequence": {"$gt": 0}}
}

/// Reads a batch of pending events.
pub(super) async fn pending(db: &Database) -> Result<Vec<Outbox>, Error> {
    Ok(db
        .stock
        .clone_with_type()
        .find(has_pending())
        .projection(doc! {"events_told": 1, "pending_events": {"$slice": BATCH_EVENTS}})
        .limit(i64::try_from(BATCH_DOCUMENTS).unwrap_or(i64::MAX))
        .await?
        .try_collect()
        .await?)
}

/// Removes published events from the outbox. Returns false if another relay has removed them.
pub(super) async fn remove_published(db: &Database, outbox: &Outbox) -> Result<bool, Error> {
    let last = outbox.last();
    let mut highest = doc! {"events_told": last};
    if outbox.dropped() > 0 {
        highest.insert("events_dropped", outbox.first() - 1);
    }
    let update = doc! {
        "$pull": {"pending_events": {"sequence": {"$lte": last}}},
        "$max": highest,
    };
    let result = db.stock.update_one(doc! {"_id": &outbox.sku}, update).await?;
    Ok(result.modified_count == 1)
}

/// Number of pending events and the time of the oldest, from at most 10,000 documents.
pub(super) async fn count(db: &Database) -> Result<(i64, Option<DateTime>), Error> {
    #[derive(Default, Deserialize)]
    struct Count {
        events: i64,
        oldest: Option<DateTime>,
    }
    let stages = [
        doc! {"$match": has_pending()},
        doc! {"$limit": MAX_COUNTED},
        doc! {"$project": {
            "events": {"$size": "$pending_events"},
            "oldest": {"$arrayElemAt": ["$pending_events.at", 0]},
        }},
        doc! {"$group": {"_id": Bson::Null, "events": {"$sum": "$events"}, "oldest": {"$min": "$oldest"}}},
    ];
    let mut found = db.stock.aggregate(stages).with_type::<Count>().await?;
    let count = found.try_next().await?.unwrap_or_default();
    Ok((count.events, count.oldest))
}
