//! Domain events on `inventory.v1`, from an outbox inside the stock document: the update that makes a change appends the
//! event that tells of it. One document numbers all events of a SKU, those of its product, too, since it outlives the
//! product (docs/adr/0010). Where there is no Kafka nothing is appended.

pub mod catalog;
pub mod relay;
mod store;

use bson::{Bson, Document, doc};
use telemetry::TraceContext;

use crate::database::Database;

/// The most events that wait in one document; of more, the oldest are dropped. A document must not grow without bounds
/// while Kafka is away, and what stock was is superseded by what it is.
const MOST: i64 = 1_000;

/// The stages at the end of an update of a stock document that tell what the stages before made of it.
pub(crate) fn stock_changed(db: &Database, reason: &str) -> Vec<Document> {
    if !db.tells() {
        return Vec::new();
    }
    append("stock_changed", levels(reason), true)
}

/// The data of `stock_changed`.
fn levels(reason: &str) -> Document {
    doc! {
        "sku": "$_id",
        "reason": {"$literal": reason},
        "on_hand": "$on_hand",
        "available": "$available",
        "held": "$held",
    }
}

/// The stages that append one event, where `condition` holds; `kind` and the values of `data` are expressions.
fn append(kind: impl Into<Bson>, data: Document, condition: impl Into<Bson>) -> Vec<Document> {
    let trace = TraceContext::current();
    let mut event = doc! {
        "sequence": "$event_seq",
        "type": kind.into(),
        "version": {"$literal": 1},
        "at": "$$NOW",
        "data": data,
    };
    for (field, value) in [
        ("traceparent", trace.traceparent),
        ("tracestate", trace.tracestate),
    ] {
        if let Some(value) = value {
            event.insert(field, doc! {"$literal": value});
        }
    }
    let condition = condition.into();
    let more = doc! {"$cond": [&condition, 1_i64, 0_i64]};
    let appended = doc! {"$cond": [condition, [event], []]};
    let waiting = doc! {"$concatArrays": [{"$ifNull": ["$pending_events", []]}, appended]};
    vec![
        doc! {"$set": {"event_seq": {"$add": [{"$ifNull": ["$event_seq", 0_i64]}, more]}}},
        doc! {"$set": {"pending_events": {"$slice": [waiting, -MOST]}}},
    ]
}
