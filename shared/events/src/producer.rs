//! Publishing a batch: in order, all in flight together, each confirmed by all replicas. A service whose events wait
//! elsewhere than in PostgreSQL uses this without the relay.

use std::sync::{Mutex, PoisonError};

use contracts::events::{DomainEvent, Envelope};
use futures::future::join_all;
use rdkafka::{
    ClientConfig,
    config::FromClientConfigAndContext as _,
    error::KafkaError,
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};
use telemetry::TraceContext;
use tracing::{Instrument, info_span};

use crate::{
    Brokers, Namespace,
    client::{Quiet, apart},
    metrics,
    relay::link,
};

/// The header with the `traceparent` of the sending.
pub(crate) const SENT_BY: &str = "x-sent-by";

/// Why events are not, or not surely, in Kafka.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The broker is away, knows no such topic, or did not confirm in time.
    // Not as its source: the client's error tells its own source already.
    #[error("Kafka did not confirm: {0}")]
    Kafka(KafkaError),
    /// A bug: the client has forgotten a message.
    #[error("the Kafka client gave no answer")]
    NoAnswer,
    /// A bug: an envelope that is no JSON.
    #[error("an event has no JSON form")]
    Json(#[from] serde_json::Error),
}

impl From<KafkaError> for PublishError {
    fn from(error: KafkaError) -> Self {
        Self::Kafka(error)
    }
}

/// An idempotent producer of the events of one service. After a failure it is replaced by a new one, so that nothing of a batch that failed can arrive
/// behind a later one, which may hold the same events.
pub struct Producer {
    /// As Souk knows it, for metrics and spans.
    topic: &'static str,
    /// As Kafka knows it.
    destination: String,
    config: ClientConfig,
    client: Mutex<Option<FutureProducer<Quiet>>>,
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer").finish_non_exhaustive()
    }
}

impl Producer {
    /// To the topic of `E`. It connects when there is something to publish.
    #[must_use]
    pub fn new<E: DomainEvent>(brokers: &Brokers, namespace: &Namespace) -> Self {
        let mut config = brokers.config(E::SOURCE);
        config
            .set("acks", "all")
            .set("enable.idempotence", "true")
            // The event behind a failed one must not get in before that is sent again.
            .set("enable.gapless.guarantee", "true")
            .set("message.timeout.ms", "5000")
            .set("linger.ms", "5")
            .set("compression.type", "lz4")
            // As Java's clients do, so that a key is in the same partition whoever writes it.
            .set("partitioner", "murmur2_random");
        Self {
            topic: E::TOPIC,
            destination: namespace.name(E::TOPIC),
            config,
            client: Mutex::default(),
        }
    }

    /// Publishes `events` in their order. An error means that any part of them may have arrived.
    pub async fn publish(&self, events: &[Envelope]) -> Result<(), PublishError> {
        // A trace of its own: the events of a batch come from many.
        let span = info_span!(
            parent: None,
            "send",
            otel.name = format!("send {}", self.topic),
            otel.kind = "producer",
            messaging.system = "kafka",
            messaging.operation.type = "send",
            messaging.operation.name = "send",
            messaging.destination.name = self.topic,
            messaging.batch.message_count = i64::try_from(events.len()).unwrap_or(i64::MAX),
        );
        link(&span, events.iter().map(|event| &event.trace));
        self.deliver(events).instrument(span).await
    }

    /// Shows how many events wait, and for how long the oldest has.
    pub fn waiting(&self, events: i64, oldest_seconds: f64) {
        metrics::waiting(self.topic, events, oldest_seconds);
    }

    /// Counts events that are published for good: confirmed, and remembered as told.
    pub fn published(&self, events: usize) {
        metrics::published(self.topic, events as u64);
    }

    async fn deliver(&self, events: &[Envelope]) -> Result<(), PublishError> {
        let client = self.client()?;
        let result = send(&client, &self.destination, events).await;
        if result.is_err() {
            drop(client);
            let broken = self.slot().take();
            // It waits for its threads.
            apart(move || drop(broken)).await;
        }
        result
    }

    fn client(&self) -> Result<FutureProducer<Quiet>, KafkaError> {
        let mut slot = self.slot();
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        let client = FutureProducer::from_config_and_context(&self.config, Quiet)?;
        Ok(slot.insert(client).clone())
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<FutureProducer<Quiet>>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send(client: &FutureProducer<Quiet>, topic: &str, events: &[Envelope]) -> Result<(), PublishError> {
    let mut confirmations = Vec::with_capacity(events.len());
    for event in events {
        let payload = serde_json::to_vec(event)?;
        let record = FutureRecord::to(topic)
            .key(&event.aggregate_id)
            .payload(&payload)
            .timestamp(event.occurred_at.timestamp_millis())
            .headers(headers(event));
        confirmations.push(client.send_result(record).map_err(|(error, _)| error)?);
    }
    for confirmation in join_all(confirmations).await {
        confirmation
            .map_err(|_| PublishError::NoAnswer)?
            .map_err(|(error, _)| error)?;
    }
    Ok(())
}

/// The W3C context of the event, where tools of others look for it, and that of the batch it is sent in.
fn headers(event: &Envelope) -> OwnedHeaders {
    let sent = TraceContext::current().traceparent;
    let fields = [
        ("traceparent", &event.trace.traceparent),
        ("tracestate", &event.trace.tracestate),
        (SENT_BY, &sent),
    ];
    let fields = fields.into_iter().filter_map(|(key, value)| {
        value.as_ref().map(|value| Header {
            key,
            value: Some(value),
        })
    });
    fields.fold(OwnedHeaders::new(), OwnedHeaders::insert)
}
