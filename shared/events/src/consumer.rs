//! Consumes events in batches that keep the order of each key. Offsets are committed after the handler has committed the
//! effect of a batch. A crash between the two causes a redelivery, so handlers store the ids of processed events in the
//! transaction of their effect. A new group starts at the beginning of the topics, which is how a read model is rebuilt.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use chrono::Utc;
use contracts::events::Envelope;
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    config::FromClientConfigAndContext as _,
    consumer::{CommitMode, Consumer as _, StreamConsumer},
    error::{KafkaError, KafkaResult},
    message::{BorrowedMessage, Headers as _},
};
use telemetry::TraceContext;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info, info_span, warn};

use crate::{
    Brokers, Namespace,
    client::{DebugLogging, is_transient, run_blocking},
    lag, metrics,
    producer::SENT_BY,
    relay::{context, link},
};

/// Maximum number of messages in a batch.
const BATCH: usize = 200;
/// How long to wait for further messages after the first message of a batch.
const LINGER: Duration = Duration::from_millis(20);
/// How long a failed batch is retried. After that the consumer leaves the group, so that another replica gets its
/// partitions. Must be less than `max.poll.interval.ms`.
const RETRY_LIMIT: Duration = Duration::from_mins(2);
/// The first delay after a failure, which doubles up to [`MAX_DELAY`].
const MIN_DELAY: Duration = Duration::from_millis(250);
const MAX_DELAY: Duration = Duration::from_secs(10);

/// A message that was received from a topic.
#[derive(Debug, Clone)]
pub struct Received {
    /// Name of the topic without the namespace.
    pub topic: String,
    /// Number of the partition within the topic.
    pub partition: i32,
    /// Offset of the message within the partition.
    pub offset: i64,
    /// The `traceparent` of the producer's send operation, if the message has one.
    pub sent_by: Option<String>,
    /// The event, or an error if the message is not one. Handlers must dead-letter a malformed message; if they fail
    /// instead, the batch is redelivered for ever.
    pub event: Result<Envelope, Malformed>,
}

impl Received {
    /// Creates the span in which a handler processes this message. It is a child of the event's trace, or only linked to it
    /// if the event is older than an hour, and has a link to the send operation. Disabled for a malformed message.
    #[must_use]
    pub fn span(&self) -> tracing::Span {
        let Ok(event) = &self.event else {
            return tracing::Span::none();
        };
        let ago = (Utc::now() - event.occurred_at).to_std().unwrap_or_default();
        let span = context(&event.trace).follow(ago, || {
            info_span!(
                "process",
                otel.name = format!("process {}", self.topic),
                otel.kind = "consumer",
                messaging.system = "kafka",
                messaging.operation.type = "process",
                messaging.operation.name = "process",
                messaging.destination.name = self.topic,
                messaging.destination.partition.id = self.partition.to_string(),
                messaging.kafka.offset = self.offset,
                messaging.message.id = %event.id,
                kind = event.kind,
            )
        });
        if self.sent_by.is_some() {
            let send_context = TraceContext {
                traceparent: self.sent_by.clone(),
                tracestate: None,
            };
            send_context.link(&span);
        }
        span
    }
}

/// Error: a message is not a domain event.
#[derive(Debug, Clone, thiserror::Error)]
#[error("not a domain event: {why}")]
pub struct Malformed {
    /// The JSON error, with its position in the payload.
    pub why: String,
    /// The payload of the message, for dead-lettering it.
    pub payload: Vec<u8>,
}

/// Processes the events of a service's subscription.
pub trait Handler: Send + Sync + 'static {
    /// Processes a batch, in which the events of each key are in order. It must return `Ok` only once the effects of the
    /// whole batch are committed. Any event may be a redelivery.
    fn handle(&self, batch: &[Received]) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// A member of a consumer group.
#[derive(Debug)]
pub struct Consumer {
    config: ClientConfig,
    namespace: Namespace,
    group: String,
    topics: Vec<String>,
}

impl Consumer {
    /// Creates a member of `group`, whose members share the partitions of `topics`. It connects when it runs.
    #[must_use]
    pub fn new(brokers: &Brokers, namespace: Namespace, group: &str, topics: &[&str]) -> Self {
        let mut config = brokers.config(group);
        config
            .set("group.id", namespace.name(group))
            .set("auto.offset.reset", "earliest")
            // An offset may be committed only after the effect, which librdkafka cannot know.
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // The other members continue while a member joins or leaves.
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", "10000")
            .set("fetch.wait.max.ms", "250")
            // Limit the memory for prefetched messages.
            .set("queued.max.messages.kbytes", "16384");
        Self {
            config,
            topics: topics.iter().map(|topic| namespace.name(topic)).collect(),
            namespace,
            group: group.to_owned(),
        }
    }

    /// Consumes until `shutdown`, and completes the current batch. Reconnects with growing delays after every failure.
    pub async fn run<H: Handler>(self, handler: Arc<H>, shutdown: CancellationToken) {
        let mut delay = MIN_DELAY;
        let mut is_failing = false;
        while !shutdown.is_cancelled() {
            let mut progressed = false;
            if let Err(error) = self.session(&*handler, &shutdown, &mut progressed).await {
                if progressed {
                    (delay, is_failing) = (MIN_DELAY, false);
                }
                if !is_failing {
                    warn!(
                        group = self.group,
                        error = format!("{error:#}"),
                        "consuming failed; will reconnect"
                    );
                }
                is_failing = true;
            }
            shutdown.run_until_cancelled(sleep(delay)).await;
            delay = (delay * 2).min(MAX_DELAY);
        }
    }

    /// Joins the group, consumes, and leaves it. Sets `progressed` once a batch has been committed.
    async fn session<H: Handler>(
        &self,
        handler: &H,
        shutdown: &CancellationToken,
        progressed: &mut bool,
    ) -> anyhow::Result<()> {
        let client = Arc::new(StreamConsumer::from_config_and_context(
            &self.config,
            DebugLogging,
        )?);
        let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        let result = match client.subscribe(&topics) {
            Ok(()) => tokio::select! {
                result = self.consume(&client, handler, shutdown, progressed) => result,
                never = lag::watch(&client, &self.namespace, &self.topics) => match never {},
            },
            Err(error) => Err(error.into()),
        };
        let closed = run_blocking(move || drop(client)).await;
        if closed.is_none() {
            warn!(
                group = self.group,
                "could not leave the group in time; its partitions are reassigned after the session timeout"
            );
        }
        result
    }

    async fn consume<H: Handler>(
        &self,
        client: &Arc<StreamConsumer<DebugLogging>>,
        handler: &H,
        shutdown: &CancellationToken,
        progressed: &mut bool,
    ) -> anyhow::Result<()> {
        loop {
            let Some(batch) = shutdown.run_until_cancelled(self.batch(client)).await else {
                return Ok(());
            };
            let (batch, offsets) = batch?;
            if !batch.is_empty() && !self.handle_with_retries(handler, &batch, shutdown).await? {
                return Ok(());
            }
            for received in &batch {
                metrics::consumed(&received.topic, 1);
            }
            let committing = Arc::clone(client);
            let committed = run_blocking(move || committing.commit(&offsets, CommitMode::Sync))
                .await
                .context("committing the offset timed out")?;
            // The partitions may have been reassigned. Their new owner then ignores this batch as already processed.
            if let Err(error) = committed {
                info!(group = self.group, %error, "committing the offset failed; the batch may be redelivered");
            }
            *progressed = true;
        }
    }

    /// Receives the next batch and the offsets that follow it. Dropping this future loses nothing, because the next session
    /// starts at the committed offsets.
    async fn batch(
        &self,
        client: &StreamConsumer<DebugLogging>,
    ) -> KafkaResult<(Vec<Received>, TopicPartitionList)> {
        let mut batch = Vec::new();
        let mut next = TopicPartitionList::new();
        let mut take = |message: &BorrowedMessage<'_>| -> KafkaResult<()> {
            let (topic, partition) = (message.topic(), message.partition());
            let offset = Offset::Offset(message.offset() + 1);
            match next.find_partition(topic, partition) {
                Some(mut known) => known.set_offset(offset)?,
                None => next.add_partition_offset(topic, partition, offset)?,
            }
            // A message without payload is the tombstone of a compacted key.
            if let Some(payload) = message.payload() {
                batch.push(self.received(message, payload));
            }
            Ok(())
        };
        take(&recv(client).await?)?;
        let deadline = Instant::now() + LINGER;
        for _ in 1..BATCH {
            match timeout_at(deadline, recv(client)).await {
                Ok(message) => take(&message?)?,
                Err(_) => break,
            }
        }
        Ok((batch, next))
    }

    fn received(&self, message: &BorrowedMessage<'_>, payload: &[u8]) -> Received {
        let topic = self.namespace.strip(message.topic()).to_owned();
        let (partition, offset) = (message.partition(), message.offset());
        let event = serde_json::from_slice(payload).map_err(|error| {
            // Log only position and category, because the error text can quote personal data.
            let (line, column, kind) = (error.line(), error.column(), error.classify());
            error!(
                topic,
                partition,
                offset,
                line,
                column,
                ?kind,
                "received a message that is not a domain event"
            );
            metrics::malformed(&topic, 1);
            Malformed {
                why: error.to_string(),
                payload: payload.to_owned(),
            }
        });
        Received {
            topic,
            partition,
            offset,
            sent_by: sent_by(message),
            event,
        }
    }

    /// Calls the handler until it succeeds. Returns false if `shutdown` was requested first, and fails after [`RETRY_LIMIT`].
    async fn handle_with_retries<H: Handler>(
        &self,
        handler: &H,
        batch: &[Received],
        shutdown: &CancellationToken,
    ) -> anyhow::Result<bool> {
        let started = Instant::now();
        let mut delay = MIN_DELAY;
        loop {
            match handler.handle(batch).instrument(self.span(batch)).await {
                Ok(()) => return Ok(true),
                Err(error) if started.elapsed() > RETRY_LIMIT => return Err(error),
                Err(error) => warn!(
                    group = self.group,
                    error = format!("{error:#}"),
                    events = batch.len(),
                    "processing a batch failed; will retry"
                ),
            }
            if shutdown.run_until_cancelled(sleep(delay)).await.is_none() {
                return Ok(false);
            }
            delay = (delay * 2).min(MAX_DELAY);
        }
    }

    fn span(&self, batch: &[Received]) -> tracing::Span {
        // A batch usually has one topic. A mixed batch is named after the first.
        let topic = batch.first().map_or("", |received| received.topic.as_str());
        let span = info_span!(
            parent: None,
            "process",
            otel.name = format!("process {topic}"),
            otel.kind = "consumer",
            messaging.system = "kafka",
            messaging.operation.type = "process",
            messaging.operation.name = "process",
            messaging.destination.name = topic,
            messaging.consumer.group.name = self.group,
            messaging.batch.message_count = i64::try_from(batch.len()).unwrap_or(i64::MAX),
        );
        let traces = batch
            .iter()
            .filter_map(|received| Some(&received.event.as_ref().ok()?.trace));
        link(&span, traces);
        span
    }
}

fn sent_by(message: &BorrowedMessage<'_>) -> Option<String> {
    let headers = message.headers()?;
    let send_header = headers.iter().find(|header| header.key == SENT_BY)?;
    str::from_utf8(send_header.value?).ok().map(str::to_owned)
}

/// Receives the next message, and ignores transient errors.
async fn recv(client: &StreamConsumer<DebugLogging>) -> KafkaResult<BorrowedMessage<'_>> {
    loop {
        match client.recv().await {
            Err(KafkaError::MessageConsumption(code)) if is_transient(code) => {}
            result => return result,
        }
    }
}
