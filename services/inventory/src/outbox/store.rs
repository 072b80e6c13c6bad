//! Reading the outboxes, and emptying them.

use bson::{Bson, DateTime, Document, doc};
use contracts::events::{Envelope, Trace};
use futures::TryStreamExt as _;
use serde::Deserialize;
use serde_json::Value;

use crate::{Error, database::Database};

/// Documents of a batch, and events of each.
pub(super) const DOCUMENTS: usize = 50;
const EVENTS: i32 = 100;
/// Documents that are looked at when counting.
const COUNTED: i64 = 10_000;

/// The outbox of one SKU, up to a batch of it.
#[derive(Debug, Deserialize)]
pub(super) struct Outbox {
    #[serde(rename = "_id")]
    pub(super) sku: String,
    /// The number of the last event that was told.
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
    /// How many events were dropped before these.
    pub(super) fn dropped(&self) -> u64 {
        u64::try_from(self.first() - self.events_told - 1).unwrap_or_default()
    }

    /// The number of the first of these.
    fn first(&self) -> i64 {
        self.pending_events.first().map_or(0, |event| event.sequence)
    }

    /// The number of the last of these.
    pub(super) fn last(&self) -> i64 {
        self.pending_events.last().map_or(0, |event| event.sequence)
    }

    /// These as they are published; the same each time.
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

fn waits() -> Document {
    doc! {"pending_events.sequence": {"$gt": 0}}
}

/// A batch of what waits.
pub(super) async fn waiting(db: &Database) -> Result<Vec<Outbox>, Error> {
    Ok(db
        .stock
        .clone_with_type()
        .find(waits())
        .projection(doc! {"events_told": 1, "pending_events": {"$slice": EVENTS}})
        .limit(i64::try_from(DOCUMENTS).unwrap_or(i64::MAX))
        .await?
        .try_collect()
        .await?)
}

/// Takes out what was published. False if another relay has done so.
pub(super) async fn forget(db: &Database, outbox: &Outbox) -> Result<bool, Error> {
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

/// How many events wait, and when the oldest of them happened.
pub(super) async fn count(db: &Database) -> Result<(i64, Option<DateTime>), Error> {
    #[derive(Default, Deserialize)]
    struct Count {
        events: i64,
        oldest: Option<DateTime>,
    }
    let stages = [
        doc! {"$match": waits()},
        doc! {"$limit": COUNTED},
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
