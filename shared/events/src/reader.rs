//! Reading a topic as it is, from some time on up to where it ends now, for those who check it: without a group, and
//! without any effect on those who have one.

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
    client::{Quiet, apart_within, is_passing, partitions},
    topics::KEPT,
};

/// How long the client may take to end.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long a partition without a leader is left alone.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Reads topics.
#[derive(Debug, Clone)]
pub struct Reader {
    config: ClientConfig,
    namespace: Namespace,
}

/// What was read of a topic.
#[derive(Debug)]
pub struct Excerpt<T> {
    /// The events, each key's in their order, repetitions among them. Messages that are none are left out.
    pub events: T,
    /// Kafka has deleted events by age or size: of those before this, some may be missing.
    pub whole_since: Option<DateTime<Utc>>,
}

impl Reader {
    /// At `brokers`. It connects when there is something to read.
    #[must_use]
    pub fn new(brokers: &Brokers, namespace: Namespace) -> Self {
        let mut config = brokers.config("reader");
        config
            // The client wants a name to read by; nothing is ever committed by it.
            .set("group.id", namespace.name("reader"))
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "50")
            .set("queued.max.messages.kbytes", "16384");
        Self { config, namespace }
    }

    /// Whether Kafka answers within `patience`.
    pub async fn answers(&self, patience: Duration) -> bool {
        let config = self.config.clone();
        let asked = apart_within(patience + FAREWELL, move || {
            let client: BaseConsumer<Quiet> = config.create_with_context(Quiet)?;
            client.fetch_metadata(None, patience)
        });
        asked.await.is_some_and(|metadata| metadata.is_ok())
    }

    /// All events of `topic` that happened `since`, or ever; it must not take longer than `patience`.
    pub async fn read<T>(
        &self,
        topic: &str,
        since: Option<DateTime<Utc>>,
        patience: Duration,
    ) -> anyhow::Result<Excerpt<T>>
    where
        T: Default + Extend<Envelope> + Send + 'static,
    {
        let (config, topic) = (self.config.clone(), self.namespace.name(topic));
        apart_within(patience + FAREWELL, move || {
            read(&config, &topic, since, patience).with_context(|| format!("cannot read {topic}"))
        })
        .await
        .context("Kafka does not answer")?
    }
}

fn read<T: Default + Extend<Envelope>>(
    config: &ClientConfig,
    topic: &str,
    since: Option<DateTime<Utc>>,
    patience: Duration,
) -> anyhow::Result<Excerpt<T>> {
    let deadline = Instant::now() + patience;
    let left = || deadline.saturating_duration_since(Instant::now());
    let client: BaseConsumer<Quiet> = config.create_with_context(Quiet)?;
    let mut starts = TopicPartitionList::new();
    // Where each partition that is not read through begins and ends.
    let mut spans = BTreeMap::new();
    let mut excerpt = Excerpt {
        events: T::default(),
        whole_since: None,
    };
    for partition in partitions(&client, topic, left())? {
        let (low, high) = ask(left, |left| client.fetch_watermarks(topic, partition, left))?;
        if high > low {
            spans.insert(partition, (low, high));
            let start = since.map_or(Offset::Beginning, |since| {
                Offset::Offset(since.timestamp_millis())
            });
            starts.add_partition_offset(topic, partition, start)?;
        } else if low > 0 {
            // All of it is deleted, which is done by age only: by size, the newest stay.
            excerpt.whole_since = excerpt.whole_since.max(Some(Utc::now() - KEPT));
        }
    }
    if since.is_some() && !spans.is_empty() {
        // The first offsets whose messages are as young; all older ones may be passed over.
        starts = ask(left, |left| client.offsets_for_times(starts.clone(), left))?;
    }
    client.assign(&starts)?;
    while !spans.is_empty() {
        ensure!(!left().is_zero(), "it did not come to its end in time");
        let message = match client.poll(left()) {
            Some(Ok(message)) => message,
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                spans.remove(&partition);
                continue;
            }
            Some(Err(KafkaError::MessageConsumption(code))) if is_passing(code) => continue,
            Some(Err(error)) => return Err(error.into()),
            None => continue,
        };
        let Some((low, high)) = spans.get(&message.partition()).copied() else {
            continue;
        };
        if low > 0 && message.offset() == low {
            let oldest = message
                .timestamp()
                .to_millis()
                .and_then(DateTime::from_timestamp_millis);
            excerpt.whole_since = excerpt.whole_since.max(oldest);
        }
        if message.offset() + 1 >= high {
            spans.remove(&message.partition());
        }
        let event = message
            .payload()
            .and_then(|payload| serde_json::from_slice::<Envelope>(payload).ok());
        let event = event.filter(|event| since.is_none_or(|since| event.occurred_at >= since));
        excerpt.events.extend(event);
    }
    Ok(excerpt)
}

/// Asks again while a partition has no leader: one that was just made, or whose leader has gone.
fn ask<T>(left: impl Fn() -> Duration, question: impl Fn(Duration) -> KafkaResult<T>) -> KafkaResult<T> {
    use RDKafkaErrorCode::{LeaderNotAvailable, NotLeaderForPartition};
    loop {
        match question(left()) {
            Err(KafkaError::MetadataFetch(LeaderNotAvailable | NotLeaderForPartition))
                if !left().is_zero() =>
            {
                std::thread::park_timeout(ASK_AGAIN_AFTER);
            }
            answer => return answer,
        }
    }
}
