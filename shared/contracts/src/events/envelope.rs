//! What is around every event.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::DomainEvent;

/// Namespace of event ids.
const EVENTS: Uuid = Uuid::from_u128(0x7c1b_2e0e_5d52_4a6c_9b0e_0f5d_7a31_c9d4);

/// One event as it lies on Kafka, as JSON. Its key is `aggregate_id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// The same at every resend; whoever has seen it passes over it. See [`Envelope::id`].
    pub id: Uuid,
    /// What happened, in the past tense: `order_placed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Of the data of this type; raised when its meaning changes, not when a field is added.
    pub version: u32,
    /// The service.
    pub source: String,
    /// To what it happened: an order, a payment, a SKU, an account.
    pub aggregate_id: String,
    /// The number of the row in the service's log. Rises from event to event of one aggregate, with gaps, since the log
    /// is one for all aggregates.
    pub sequence: i64,
    /// By the clock of the service's database.
    pub occurred_at: DateTime<Utc>,
    /// The trace in which it happened.
    #[serde(default)]
    pub trace: Trace,
    /// As the type and version say.
    pub data: Value,
}

/// W3C Trace Context.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// `00-{trace id}-{span id}-{flags}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Vendors' additions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
}

/// An event whose data is not what its type says: a fault of the service that told it.
#[derive(Debug, thiserror::Error)]
#[error("event {id} of {source_name}: the data of {kind} does not decode")]
pub struct Undecodable {
    /// Which event.
    pub id: Uuid,
    /// Whose.
    pub source_name: String,
    /// Its type.
    pub kind: String,
    /// Where and why.
    #[source]
    pub cause: serde_json::Error,
}

impl Envelope {
    /// The id of the row `sequence` of a service's log: `UUIDv5`, so that every resend says the same.
    #[must_use]
    pub fn id(source: &str, sequence: i64) -> Uuid {
        Uuid::new_v5(&EVENTS, format!("{source}/{sequence}").as_bytes())
    }

    /// The event, if it is one of `E` that this program knows; anything else is passed over.
    pub fn decode<E: DomainEvent>(&self) -> Result<Option<E>, Undecodable> {
        if self.source != E::SOURCE {
            return Ok(None);
        }
        E::read(&self.kind, self.version, &self.data)
            .transpose()
            .map_err(|cause| Undecodable {
                id: self.id,
                source_name: self.source.clone(),
                kind: self.kind.clone(),
                cause,
            })
    }
}
