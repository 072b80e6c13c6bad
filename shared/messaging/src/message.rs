//! Messages and their envelope. AMQP properties contain ids, type and trace context, and the body is JSON.

use contracts::{
    CommandId, SagaId,
    saga::{Command, Message, Outcome, Reply, queues},
};
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use telemetry::TraceContext;
use uuid::Uuid;

use crate::Namespace;

pub(crate) const ATTEMPT: &str = "x-attempt";
/// Header with the `traceparent` of the send span. The header `traceparent` has the span that created the message.
pub(crate) const SENT_BY: &str = "x-sent-by";
pub(crate) const DEATH_QUEUE: &str = "x-death-queue";
pub(crate) const DEATH_REASON: &str = "x-death-reason";
const PERSISTENT: u8 = 2;

/// A message to be published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Identifies the message. It is the same each time the message is sent, so that the receiver detects duplicates.
    pub id: Uuid,
    /// The AMQP `type` property, such as `inventory.reserve_stock.v2`.
    pub kind: String,
    /// Name of the destination queue, without namespace.
    pub queue: String,
    /// Id of the saga that the message belongs to.
    pub correlation_id: Uuid,
    /// Queue that the reply is sent to, if one is expected.
    pub reply_to: Option<String>,
    /// JSON of the message's struct.
    pub body: Value,
    /// Trace context of the span that created the message.
    pub trace: TraceContext,
}

impl Outgoing {
    /// Creates a command of a saga. The reply is sent to the queue of the orders service.
    #[must_use]
    pub fn command(command: Command, id: CommandId, saga: SagaId) -> Self {
        Self {
            id: id.0,
            kind: command.kind.to_owned(),
            queue: command.queue.to_owned(),
            correlation_id: saga.0,
            reply_to: Some(queues::ORDERS.to_owned()),
            body: command.body,
            trace: TraceContext::current(),
        }
    }

    /// Creates the reply to a command. Its id is derived from the command's id, so that replying twice sends the same message.
    #[must_use]
    pub fn reply(to: &Incoming, outcome: Outcome) -> Self {
        let reply = Reply {
            command_id: CommandId(to.id),
            outcome,
        };
        Self {
            id: Uuid::new_v5(&to.id, b"reply"),
            kind: Reply::KIND.to_owned(),
            queue: to.reply_to.clone().unwrap_or_else(|| queues::ORDERS.to_owned()),
            correlation_id: to.correlation_id,
            reply_to: None,
            body: serde_json::to_value(reply).unwrap_or_default(),
            trace: TraceContext::current(),
        }
    }

    /// Creates a message that expects no reply, with a new id.
    #[must_use]
    pub fn notice<M: Message>(queue: &str, correlation_id: Uuid, message: &M) -> Self {
        Self {
            id: Uuid::now_v7(),
            kind: M::KIND.to_owned(),
            queue: queue.to_owned(),
            correlation_id,
            reply_to: None,
            body: serde_json::to_value(message).unwrap_or_default(),
            trace: TraceContext::current(),
        }
    }

    pub(crate) fn properties(
        &self,
        app_id: &str,
        trace: &TraceContext,
        sent: &TraceContext,
    ) -> BasicProperties {
        let mut headers = FieldTable::default();
        headers.insert(ATTEMPT.into(), AMQPValue::LongInt(1));
        for (name, value) in [
            ("traceparent", &trace.traceparent),
            ("tracestate", &trace.tracestate),
            (SENT_BY, &sent.traceparent),
        ] {
            if let Some(value) = value {
                headers.insert(name.into(), AMQPValue::LongString(value.as_str().into()));
            }
        }
        let properties = BasicProperties::default()
            .with_message_id(self.id.to_string().into())
            .with_correlation_id(self.correlation_id.to_string().into())
            .with_type(self.kind.as_str().into())
            .with_content_type("application/json".into())
            .with_timestamp(u64::try_from(chrono::Utc::now().timestamp()).unwrap_or_default())
            .with_app_id(app_id.into())
            .with_delivery_mode(PERSISTENT)
            .with_headers(headers);
        match &self.reply_to {
            Some(queue) => properties.with_reply_to(queue.as_str().into()),
            None => properties,
        }
    }
}

/// A message that was received from a queue.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Id given by the sender, which is the same for every delivery. Nil if it is missing or not a UUID.
    pub id: Uuid,
    /// The AMQP `type` property, or empty if it is missing.
    pub kind: String,
    /// Queue that the message was consumed from, without namespace. For a dead letter, the queue that it was first sent to.
    pub queue: String,
    /// Id of the saga. Nil if the sender gave none.
    pub correlation_id: Uuid,
    /// Queue that the reply must be sent to, if one is expected.
    pub reply_to: Option<String>,
    /// Body of the message as received.
    pub body: Vec<u8>,
    /// Number of the attempt to process the message, starting at 1.
    pub attempt: u32,
    /// The reason why the message was dead-lettered, if it was.
    pub death_reason: Option<String>,
    /// Trace context of the span that created the message.
    pub trace: TraceContext,
}

/// The reason why a message can never be processed. Such a message is dead-lettered without further attempts.
#[derive(Debug, thiserror::Error)]
pub enum Poison {
    /// The body does not match the message type.
    #[error("cannot decode the body of {kind}")]
    Body {
        /// The AMQP `type` property of the message.
        kind: String,
        /// The JSON error, with its position in the body.
        source: serde_json::Error,
    },
    /// The receiver does not support this message type.
    #[error("unknown message type {0:?}")]
    Kind(String),
    /// The envelope has no valid message id.
    #[error("the message has no UUID as its message_id")]
    Id,
    /// The same message id was already used with a different body.
    #[error("message {0} was already received with a different body")]
    Conflict(Uuid),
}

impl Incoming {
    /// Decodes the body as `M`. The caller must have checked [`Incoming::kind`].
    pub fn decode<M: Message>(&self) -> Result<M, Poison> {
        serde_json::from_slice(&self.body).map_err(|source| Poison::Body {
            kind: self.kind.clone(),
            source,
        })
    }

    /// SHA-256 of the body, which detects different bodies with the same id.
    #[must_use]
    pub fn body_sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.body).into()
    }

    /// Reads a delivery. It never fails: a missing or invalid id becomes nil.
    pub(crate) fn read(delivery: &Delivery, queue: &str, namespace: &Namespace) -> Self {
        let properties = &delivery.properties;
        let text = |value: &Option<lapin::types::ShortString>| value.as_ref().map(ToString::to_string);
        let uuid = |value| {
            text(value)
                .and_then(|text| Uuid::parse_str(&text).ok())
                .unwrap_or_default()
        };
        let header = |name: &str| header(properties, name);
        Self {
            id: uuid(properties.message_id()),
            kind: text(properties.kind()).unwrap_or_default(),
            queue: header(DEATH_QUEUE)
                .or_else(|| header("x-first-death-queue").map(|queue| namespace.strip(&queue).to_owned()))
                .filter(|_| queue == crate::DEAD_LETTERS)
                .unwrap_or_else(|| queue.to_owned()),
            correlation_id: uuid(properties.correlation_id()),
            reply_to: text(properties.reply_to()),
            body: delivery.data.clone(),
            attempt: attempt(properties),
            death_reason: header(DEATH_REASON).or_else(|| header("x-first-death-reason")),
            trace: TraceContext {
                traceparent: header("traceparent"),
                tracestate: header("tracestate"),
            },
        }
    }
}

pub(crate) fn header(properties: &BasicProperties, name: &str) -> Option<String> {
    match properties.headers().as_ref()?.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

fn attempt(properties: &BasicProperties) -> u32 {
    let value = properties
        .headers()
        .as_ref()
        .and_then(|headers| headers.inner().get(ATTEMPT).cloned());
    match value {
        Some(AMQPValue::LongInt(number)) => u32::try_from(number).unwrap_or(1),
        Some(AMQPValue::LongLongInt(number)) => u32::try_from(number).unwrap_or(1),
        _ => 1,
    }
}

/// Returns the properties of a delivery with changed headers, for a retry queue or the dead letters.
pub(crate) fn with_headers(properties: &BasicProperties, changes: Vec<(&str, AMQPValue)>) -> BasicProperties {
    let mut headers = properties.headers().clone().unwrap_or_default();
    for (name, value) in changes {
        headers.insert(name.into(), value);
    }
    properties
        .clone()
        .with_headers(headers)
        .with_delivery_mode(PERSISTENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HandleError;

    #[test]
    fn a_poison_error_contains_its_cause_once() {
        let source = serde_json::from_str::<u8>("").unwrap_err();
        let why = source.to_string();
        let kind = "a.b.v1".to_owned();
        let text = HandleError::from(Poison::Body { kind, source }).to_string();
        assert_eq!(text, format!("cannot decode the body of a.b.v1: {why}"));
    }
}
