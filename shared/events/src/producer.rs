//! Publishes batches of events in order. The events of a batch are sent concurrently, and all in-sync replicas confirm each.
//! A service that does not keep its events in PostgreSQL uses this without the relay.

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
    client::{DebugLogging, run_blocking},
    metrics,
    relay::link,
};

/// Record header with the `traceparent` of the send operation.
pub(crate) const SENT_BY: &str = "x-sent-by";

/// The reason why publishing failed. Some of the events may have been published nevertheless.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The broker is unavailable, the topic does not exist, or the confirmation timed out.
    // Not marked as source, because the text of the client's error already includes its own source.
    #[error("Kafka did not confirm: {0}")]
    Kafka(KafkaError),
    /// The client dropped a message without reporting a result, which is a bug.
    #[error("the Kafka client did not report a result")]
    NoResult,
    /// An envelope cannot be serialized, which is a bug.
    #[error("cannot serialize an event")]
    Json(#[from] serde_json::Error),
}

impl From<KafkaError> for PublishError {
    fn from(error: KafkaError) -> Self {
        Self::Kafka(error)
    }
}

/// An idempotent producer of the events of one service. After a failure the client is replaced, so that no event of a failed
/// batch can arrive after a later batch, which may contain the same events.
pub struct Producer {
    /// Name without the namespace, for metrics and spans.
    topic: &'static str,
    /// Name on the brokers.
    destination: String,
    config: ClientConfig,
    client: Mutex<Option<FutureProducer<DebugLogging>>>,
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer").finish_non_exhaustive()
    }
}

impl Producer {
    /// Creates a producer for the topic of `E`. It connects on first use.
    #[must_use]
    pub fn new<E: DomainEvent>(brokers: &Brokers, namespace: &Namespace) -> Self {
        let mut config = brokers.config(E::SOURCE);
        config
            .set("acks", "all")
            .set("enable.idempotence", "true")
            // If an event fails, the events after it must not be written before it is resent.
            .set("enable.gapless.guarantee", "true")
            .set("message.timeout.ms", "5000")
            .set("linger.ms", "5")
            .set("compression.type", "lz4")
            // The default of Java clients, so that other producers would choose the same partition for a key.
            .set("partitioner", "murmur2_random");
        Self {
            topic: E::TOPIC,
            destination: namespace.name(E::TOPIC),
            config,
            client: Mutex::default(),
        }
    }

    /// Publishes `events` in order. After an error, any subset of them may have been published.
    pub async fn publish(&self, events: &[Envelope]) -> Result<(), PublishError> {
        // Start a new trace, because the events of a batch come from different traces.
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

    /// Updates the metrics of pending events: their number, and the age of the oldest in seconds.
    pub fn waiting(&self, events: i64, oldest_seconds: f64) {
        metrics::waiting(self.topic, events, oldest_seconds);
    }

    /// Counts events that Kafka has confirmed and that the service has marked as published.
    pub fn published(&self, events: usize) {
        metrics::published(self.topic, events as u64);
    }

    async fn deliver(&self, events: &[Envelope]) -> Result<(), PublishError> {
        let client = self.client()?;
        let result = send(&client, &self.destination, events).await;
        if result.is_err() {
            drop(client);
            let broken = self.lock_client().take();
            // Dropping the client blocks until its threads have stopped.
            run_blocking(move || drop(broken)).await;
        }
        result
    }

    fn client(&self) -> Result<FutureProducer<DebugLogging>, KafkaError> {
        let mut current = self.lock_client();
        if let Some(client) = &*current {
            return Ok(client.clone());
        }
        let client = FutureProducer::from_config_and_context(&self.config, DebugLogging)?;
        Ok(current.insert(client).clone())
    }

    fn lock_client(&self) -> std::sync::MutexGuard<'_, Option<FutureProducer<DebugLogging>>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send(
    client: &FutureProducer<DebugLogging>,
    topic: &str,
    events: &[Envelope],
) -> Result<(), PublishError> {
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
            .map_err(|_| PublishError::NoResult)?
            .map_err(|(error, _)| error)?;
    }
    Ok(())
}

/// Returns the record headers: the W3C trace context of the event, and the one of the send operation.
fn headers(event: &Envelope) -> OwnedHeaders {
    let sent_by = TraceContext::current().traceparent;
    let fields = [
        ("traceparent", &event.trace.traceparent),
        ("tracestate", &event.trace.tracestate),
        (SENT_BY, &sent_by),
    ];
    let fields = fields.into_iter().filter_map(|(key, value)| {
        value.as_ref().map(|value| Header {
            key,
            value: Some(value),
        })
    });
    fields.fold(OwnedHeaders::new(), OwnedHeaders::insert)
}
