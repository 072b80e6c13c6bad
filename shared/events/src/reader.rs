//! Reads the current content of a topic, for audits. It does not join a consumer group and has no effect on any.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use contracts::events::Envelope;
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
};

use crate::{
    Brokers, Namespace,
    client::{DebugLogging, is_transient, partitions, run_blocking_within},
    topics::MIN_RETENTION,
};

/// How long the client may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Delay before a request is repeated because a partition has no leader.
const LEADER_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Reads topics without a consumer group.
#[derive(Debug, Clone)]
pub struct Reader {
    config: ClientConfig,
    namespace: Namespace,
}

/// The events read from a topic, and since when they are complete.
#[derive(Debug)]
pub struct Excerpt<T> {
    /// The events, in order for each key. Duplicates are included, and messages that are not events are omitted.
    pub events: T,
    /// Set if Kafka has deleted events because of their age or size. Events before this time may be missing.
    pub complete_since: Option<DateTime<Utc>>,
}

impl Reader {
    /// Creates a reader for the topics on `brokers`. It connects when it reads.
    #[must_use]
    pub fn new(brokers: &Brokers, namespace: Namespace) -> Self {
        let mut config = brokers.config("reader");
        config
            // The client requires a group id, but nothing is ever committed for it.
            .set("group.id", namespace.name("reader"))
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "50")
            .set("queued.max.messages.kbytes", "16384");
        Self { config, namespace }
    }

    /// Whether Kafka responds to a metadata request within `timeout`.
    pub async fn is_reachable(&self, timeout: Duration) -> bool {
        let config = self.config.clone();
        let metadata = run_blocking_within(timeout + CLOSE_TIMEOUT, move || {
            let client: BaseConsumer<DebugLogging> = config.create_with_context(DebugLogging)?;
            client.fetch_metadata(None, timeout)
        });
        metadata.await.is_some_and(|metadata| metadata.is_ok())
    }

    /// Reads the events of `topic` that occurred at or after `since`, or all of them. Fails if this takes longer than
    /// `timeout`.
    pub async fn read<T>(
        &self,
        topic: &str,
        since: Option<DateTime<Utc>>,
        timeout: Duration,
    ) -> anyhow::Result<Excerpt<T>>
    where
        T: Default + Extend<Envelope> + Send + 'static,
    {
        let (config, topic) = (self.config.clone(), self.namespace.name(topic));
        run_blocking_within(timeout + CLOSE_TIMEOUT, move || {
            read(&config, &topic, since, timeout).with_context(|| format!("cannot read {topic}"))
        })
        .await
        .context("Kafka does not respond")?
    }
}

fn read<T: Default + Extend<Envelope>>(
    config: &ClientConfig,
    topic: &str,
    since: Option<DateTime<Utc>>,
    timeout: Duration,
) -> anyhow::Result<Excerpt<T>> {
    let deadline = Instant::now() + timeout;
    let remaining = || deadline.saturating_duration_since(Instant::now());
    let client: BaseConsumer<DebugLogging> = config.create_with_context(DebugLogging)?;
    let mut starts = TopicPartitionList::new();
    // First and end offset of each partition that has not been read to its end.
    let mut unfinished = BTreeMap::new();
    let mut excerpt = Excerpt {
        events: T::default(),
        complete_since: None,
    };
    for partition in partitions(&client, topic, remaining())? {
        let (low, high) = retry_without_leader(remaining, |remaining| {
            client.fetch_watermarks(topic, partition, remaining)
        })?;
        if high > low {
            unfinished.insert(partition, (low, high));
            let start = since.map_or(Offset::Beginning, |since| {
                Offset::Offset(since.timestamp_millis())
            });
            starts.add_partition_offset(topic, partition, start)?;
        } else if low > 0 {
            // Everything is deleted. Only the retention time can cause this, since deletion by size keeps the newest segment.
            excerpt.complete_since = excerpt.complete_since.max(Some(Utc::now() - MIN_RETENTION));
        }
    }
    if since.is_some() && !unfinished.is_empty() {
        // Start at the first messages that are not older than `since`.
        starts = retry_without_leader(remaining, |remaining| {
            client.offsets_for_times(starts.clone(), remaining)
        })?;
    }
    client.assign(&starts)?;
    while !unfinished.is_empty() {
        ensure!(!remaining().is_zero(), "reading the topic timed out");
        let message = match client.poll(remaining()) {
            Some(Ok(message)) => message,
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                unfinished.remove(&partition);
                continue;
            }
            Some(Err(KafkaError::MessageConsumption(code))) if is_transient(code) => continue,
            Some(Err(error)) => return Err(error.into()),
            None => continue,
        };
        let Some((low, high)) = unfinished.get(&message.partition()).copied() else {
            continue;
        };
        if low > 0 && message.offset() == low {
            let oldest = message
                .timestamp()
                .to_millis()
                .and_then(DateTime::from_timestamp_millis);
            excerpt.complete_since = excerpt.complete_since.max(oldest);
        }
        if message.offset() + 1 >= high {
            unfinished.remove(&message.partition());
        }
        let event = message
            .payload()
            .and_then(|payload| serde_json::from_slice::<Envelope>(payload).ok());
        let event = event.filter(|event| since.is_none_or(|since| event.occurred_at >= since));
        excerpt.events.extend(event);
    }
    Ok(excerpt)
}

/// Repeats a request while a partition has no leader, because the partition is new or its leader has failed.
fn retry_without_leader<T>(
    remaining: impl Fn() -> Duration,
    request: impl Fn(Duration) -> KafkaResult<T>,
) -> KafkaResult<T> {
    use RDKafkaErrorCode::{LeaderNotAvailable, NotLeaderForPartition};
    loop {
        match request(remaining()) {
            Err(KafkaError::MetadataFetch(LeaderNotAvailable | NotLeaderForPartition))
                if !remaining().is_zero() =>
            {
                std::thread::park_timeout(LEADER_RETRY_DELAY);
            }
            result => return result,
        }
    }
}
