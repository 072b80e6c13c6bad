//! Domain events for the topic `inventory.v1`. The outbox is part of the stock document: the update that makes a change also
//! appends its event. The stock document numbers all events of a SKU, including those of its product, because it outlives
//! the product (docs/adr/0010). Without Kafka, no events are recorded.

pub mod catalog;
pub mod relay;
mod store;

use bson::{Bson, Document, doc};
use telemetry::TraceContext;

use crate::database::Database;

/// Maximum number of pending events in one document; beyond that, the oldest are dropped. A document must not grow without
/// limit while Kafka is unavailable, and newer stock levels supersede older ones.
const MAX_PENDING: i64 = 1_000;

/// Pipeline stages that append an event with the stock levels to the update of a stock document. They must be the last
/// stages of the update.
pub(crate) fn stock_changed(db: &Database, reason: &str) -> Vec<Document> {
    if !db.publishes_events() {
        return Vec::new();
    }
    append("stock_changed", levels(reason), true)
}

/// The data of a `stock_changed` event, as expressions on the stock document.
fn levels(reason: &str) -> Document {
    doc! {
        "sku": "$_id",
        "reason": {"$literal": reason},
        "on_hand": "$on_hand",
        "available": "$available",
        "held": "$held",
    }
}

/// Pipeline stages that append one event if `condition` is true. `kind` and the values of `data` are expressions.
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
        doc! {"$set": {"pending_events": {"$slice": [waiting, -MAX_PENDING]}}},
    ]
}
