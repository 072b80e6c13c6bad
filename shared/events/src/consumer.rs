//! Consuming: batches in the order of each key, and an offset that is committed after the handler has committed the
//! effect. A crash between the two delivers again, so a handler remembers the ids of events in the transaction of their
//! effect. A group that is new reads from the beginning: that is how a read model is built again.

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
    client::{Quiet, apart, is_passing},
    lag, metrics,
    producer::SENT_BY,
    relay::{context, link},
};

/// Messages handed to the handler in one go.
const BATCH: usize = 200;
/// How long a batch that has begun waits for more.
const LINGER: Duration = Duration::from_millis(20);
/// A handler that fails is asked again with the same batch for as long; then the partitions are given up, so that a
/// replica that is better off may have them. Must stay below `max.poll.interval.ms`.
const INSIST: Duration = Duration::from_mins(2);
/// The first pause after a failure; it doubles up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A message that has arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// The topic, without namespace.
    pub topic: String,
    /// Within the topic.
    pub partition: i32,
    /// Within the partition.
    pub offset: i64,
    /// The `traceparent` of its sending.
    pub sent_by: Option<String>,
    /// What it is. A malformed one is to be put aside by the handler, which otherwise meets it for ever.
    pub event: Result<Envelope, Malformed>,
}

impl Received {
    /// A span in which a handler takes it in, within the batch's. It is part of the trace of what the event tells of, unless
    /// that is long ago, and linked to its sending. None for a malformed one.
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
            let sent = TraceContext {
                traceparent: self.sent_by.clone(),
                tracestate: None,
            };
            sent.link(&span);
        }
        span
    }
}

/// A message that is no event.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no domain event: {why}")]
pub struct Malformed {
    /// Where and why.
    pub why: String,
    /// What it is instead.
    pub payload: Vec<u8>,
}

/// What a service does with events.
pub trait Handler: Send + Sync + 'static {
    /// Handles a batch, in which each key's events are in their order; when this returns `Ok`, the effect of all of them
    /// is committed. Any of them may have come before.
    fn handle(&self, batch: &[Received]) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// A member of a group.
#[derive(Debug)]
pub struct Consumer {
    config: ClientConfig,
    namespace: Namespace,
    group: String,
    topics: Vec<String>,
}

impl Consumer {
    /// Of `topics`, which the members of `group` share.
    #[must_use]
    pub fn new(brokers: &Brokers, namespace: Namespace, group: &str, topics: &[&str]) -> Self {
        let mut config = brokers.config(group);
        config
            .set("group.id", namespace.name(group))
            .set("auto.offset.reset", "earliest")
            // An offset means that an effect is committed; only this crate knows.
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // A member that comes or goes does not stop the others.
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", "10000")
            .set("fetch.wait.max.ms", "250")
            // Read ahead, but not without bounds.
            .set("queued.max.messages.kbytes", "16384");
        Self {
            config,
            topics: topics.iter().map(|topic| namespace.name(topic)).collect(),
            namespace,
            group: group.to_owned(),
        }
    }

    /// Consumes until `shutdown`, finishing the batch in work. Comes back after every loss of the brokers.
    pub async fn run<H: Handler>(self, handler: Arc<H>, shutdown: CancellationToken) {
        let mut pause = PAUSE;
        let mut waits = false;
        while !shutdown.is_cancelled() {
            let mut worked = false;
            if let Err(error) = self.session(&*handler, &shutdown, &mut worked).await {
                if worked {
                    (pause, waits) = (PAUSE, false);
                }
                if !waits {
                    warn!(
                        group = self.group,
                        error = format!("{error:#}"),
                        "consuming is interrupted"
                    );
                }
                waits = true;
            }
            shutdown.run_until_cancelled(sleep(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Consumes as one member of the group, from joining to leaving.
    async fn session<H: Handler>(
        &self,
        handler: &H,
        shutdown: &CancellationToken,
        worked: &mut bool,
    ) -> anyhow::Result<()> {
        let client = Arc::new(StreamConsumer::from_config_and_context(&self.config, Quiet)?);
        let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        let result = match client.subscribe(&topics) {
            Ok(()) => tokio::select! {
                result = self.consume(&client, handler, shutdown, worked) => result,
                never = lag::watch(&client, &self.namespace, &self.topics) => match never {},
            },
            Err(error) => Err(error.into()),
        };
        let left = apart(move || drop(client)).await;
        if left.is_none() {
            warn!(group = self.group, "left the group without a farewell");
        }
        result
    }

    async fn consume<H: Handler>(
        &self,
        client: &Arc<StreamConsumer<Quiet>>,
        handler: &H,
        shutdown: &CancellationToken,
        worked: &mut bool,
    ) -> anyhow::Result<()> {
        loop {
            let Some(batch) = shutdown.run_until_cancelled(self.batch(client)).await else {
                return Ok(());
            };
            let (batch, offsets) = batch?;
            if !batch.is_empty() && !self.insist(handler, &batch, shutdown).await? {
                return Ok(());
            }
            for received in &batch {
                metrics::consumed(&received.topic, 1);
            }
            let committing = Arc::clone(client);
            let committed = apart(move || committing.commit(&offsets, CommitMode::Sync))
                .await
                .context("Kafka does not take the offset")?;
            // The partitions may be another's by now, who does the batch again and finds it done.
            if let Err(error) = committed {
                info!(group = self.group, %error, "the offset is not committed");
            }
            *worked = true;
        }
    }

    /// The next messages, and where to go on after them. Nothing is lost when this is dropped half-way: a session that
    /// ends without a commit is begun again at the same place.
    async fn batch(
        &self,
        client: &StreamConsumer<Quiet>,
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
            // An empty message is the end of a compacted key.
            if let Some(payload) = message.payload() {
                batch.push(self.received(message, payload));
            }
            Ok(())
        };
        take(&recv(client).await?)?;
        let enough = Instant::now() + LINGER;
        for _ in 1..BATCH {
            match timeout_at(enough, recv(client)).await {
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
            // Where and of what kind: the whole error can quote personal data.
            let (line, column, kind) = (error.line(), error.column(), error.classify());
            error!(
                topic,
                partition,
                offset,
                line,
                column,
                ?kind,
                "a message is no domain event"
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

    /// Has the batch handled; false if `shutdown` came before that.
    async fn insist<H: Handler>(
        &self,
        handler: &H,
        batch: &[Received],
        shutdown: &CancellationToken,
    ) -> anyhow::Result<bool> {
        let began = Instant::now();
        let mut pause = PAUSE;
        loop {
            match handler.handle(batch).instrument(self.span(batch)).await {
                Ok(()) => return Ok(true),
                Err(error) if began.elapsed() > INSIST => return Err(error),
                Err(error) => warn!(
                    group = self.group,
                    error = format!("{error:#}"),
                    events = batch.len(),
                    "a batch is handled again"
                ),
            }
            if shutdown.run_until_cancelled(sleep(pause)).await.is_none() {
                return Ok(false);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn span(&self, batch: &[Received]) -> tracing::Span {
        // One topic, most of the time; of a mixed batch the first is as good a name as any.
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
    let sent = headers.iter().find(|header| header.key == SENT_BY)?;
    str::from_utf8(sent.value?).ok().map(str::to_owned)
}

/// The next message; what passes is not an end.
async fn recv(client: &StreamConsumer<Quiet>) -> KafkaResult<BorrowedMessage<'_>> {
    loop {
        match client.recv().await {
            Err(KafkaError::MessageConsumption(code)) if is_passing(code) => {}
            result => return result,
        }
    }
}
