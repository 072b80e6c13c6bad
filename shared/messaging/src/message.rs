//! Messages and their envelope: AMQP properties carry ids, type and trace context; the body is JSON.

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
/// The span that sent the message, beside `traceparent`, which is where it was created.
pub(crate) const SENT_BY: &str = "x-sent-by";
pub(crate) const DEATH_QUEUE: &str = "x-death-queue";
pub(crate) const DEATH_REASON: &str = "x-death-reason";
const PERSISTENT: u8 = 2;

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The receiver's key against duplicates: the same at every resend.
    pub id: Uuid,
    /// The AMQP `type`, such as `inventory.reserve_stock.v1`.
    pub kind: String,
    /// The queue by its name in the code, without namespace.
    pub queue: String,
    /// The saga.
    pub correlation_id: Uuid,
    /// Where the answer goes.
    pub reply_to: Option<String>,
    /// The JSON of the message's struct.
    pub body: Value,
    /// Where in which trace it was created.
    pub trace: TraceContext,
}

impl Outgoing {
    /// A command of a saga; the answer comes to orders.
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

    /// The answer to a command. Its id derives from the command's, so the same answer sent twice is one message.
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

    /// A message that expects no answer.
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

/// A message that has arrived.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The sender's id of it, the same at every delivery.
    pub id: Uuid,
    /// The AMQP `type`.
    pub kind: String,
    /// The queue it came from, without namespace; of a dead letter, where it was sent to at first.
    pub queue: String,
    /// The saga; nil when the sender gave none.
    pub correlation_id: Uuid,
    /// Where the answer goes.
    pub reply_to: Option<String>,
    /// The raw body.
    pub body: Vec<u8>,
    /// 1 at the first attempt.
    pub attempt: u32,
    /// Why it is a dead letter, where it is one.
    pub death_reason: Option<String>,
    /// The sender's trace context.
    pub trace: TraceContext,
}

/// A message that no attempt will ever understand.
#[derive(Debug, thiserror::Error)]
pub enum Poison {
    /// The body is not the JSON that its type says.
    #[error("the body of {kind} does not decode")]
    Body {
        /// The AMQP `type`.
        kind: String,
        /// Where and why.
        source: serde_json::Error,
    },
    /// Nobody here knows the type.
    #[error("unknown message type {0:?}")]
    Kind(String),
    /// The envelope lacks an id.
    #[error("the message has no UUID as its message_id")]
    Id,
    /// An id was used for two different bodies.
    #[error("message {0} came before with another body")]
    Conflict(Uuid),
}

impl Incoming {
    /// The body as `M`; the caller has looked at [`Incoming::kind`].
    pub fn decode<M: Message>(&self) -> Result<M, Poison> {
        serde_json::from_slice(&self.body).map_err(|source| Poison::Body {
            kind: self.kind.clone(),
            source,
        })
    }

    /// What tells two bodies under one id apart.
    #[must_use]
    pub fn body_sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.body).into()
    }

    /// Reads a delivery; one without an id is still described, with a nil id.
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

/// The delivery's properties with other headers, for a retry queue or the dead letters.
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
    fn a_poison_says_once_why_it_is_one() {
        let source = serde_json::from_str::<u8>("").unwrap_err();
        let why = source.to_string();
        let kind = "a.b.v1".to_owned();
        let told = HandleError::from(Poison::Body { kind, source }).to_string();
        assert_eq!(told, format!("the body of a.b.v1 does not decode: {why}"));
    }
}
