//! The envelope that every event is published in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::DomainEvent;

/// The `UUIDv5` namespace of event ids.
const EVENTS: Uuid = Uuid::from_u128(0x7c1b_2e0e_5d52_4a6c_9b0e_0f5d_7a31_c9d4);

/// The value of a Kafka record, as JSON. The key of the record is `aggregate_id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Identifies the event, and is the same each time the event is published. Consumers ignore ids that they have already
    /// processed. See [`Envelope::id`].
    pub id: Uuid,
    /// The event type in the past tense, such as `order_placed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Version of the type's data. It is raised when the meaning changes, not when a field is added.
    pub version: u32,
    /// The service that published the event.
    pub source: String,
    /// Id of the order, payment, product (its SKU) or account that the event is about.
    pub aggregate_id: String,
    /// Row number in the service's event log. It increases from one event of an aggregate to the next, with gaps, because
    /// all aggregates share the log.
    pub sequence: i64,
    /// When the event occurred, by the clock of the service's database.
    pub occurred_at: DateTime<Utc>,
    /// Trace context of the change that caused the event.
    #[serde(default)]
    pub trace: Trace,
    /// The event's data. Its fields depend on `type` and `version`.
    pub data: Value,
}

/// A W3C trace context, which links an event to the trace of its cause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Version, trace id, span id and flags, as `00-{trace id}-{span id}-{flags}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Additional vendor-specific state, as `key=value` pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
}

/// Error: the data of an event does not match its type. This is a bug in the service that published it.
#[derive(Debug, thiserror::Error)]
#[error("cannot decode the data of event {id} ({kind}) from {source_name}")]
pub struct Undecodable {
    /// Id of the event.
    pub id: Uuid,
    /// The service that published the event.
    pub source_name: String,
    /// Type of the event, such as `order_placed`.
    pub kind: String,
    /// The JSON error, with its position in the data.
    #[source]
    pub cause: serde_json::Error,
}

impl Envelope {
    /// Derives the id of the event in row `sequence` of a service's event log. The id is a `UUIDv5`, so that publishing the
    /// event again produces the same id.
    #[must_use]
    pub fn id(source: &str, sequence: i64) -> Uuid {
        Uuid::new_v5(&EVENTS, format!("{source}/{sequence}").as_bytes())
    }

    /// Decodes the event. Returns `None` if it is from another service, or of a type or version that `E` does not have.
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
