//! Checks whether a group has consumed topics up to the offsets at which they ended at some time.

use std::time::Duration;

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};
use tokio::task::spawn_blocking;

use crate::{Brokers, Namespace, client::partitions};

const TIMEOUT: Duration = Duration::from_secs(10);

/// The end offsets of topics at some time: topic name on the brokers, partition, and the offset after the last message.
/// Partitions without messages are omitted.
#[derive(Debug, Clone)]
pub struct EndOffsets(Vec<(String, i32, i64)>);

/// Returns the current end offsets of `topics`. Fails if the brokers do not respond within 10 seconds.
pub async fn end_offsets(
    brokers: &Brokers,
    namespace: &Namespace,
    topics: &[&str],
) -> anyhow::Result<EndOffsets> {
    let config = brokers.config("ends");
    let topics: Vec<_> = topics.iter().map(|topic| namespace.name(topic)).collect();
    spawn_blocking(move || {
        let client: BaseConsumer = config.create()?;
        let mut ends = Vec::new();
        for topic in topics {
            for partition in partitions(&client, &topic, TIMEOUT)? {
                let (low, high) = client.fetch_watermarks(&topic, partition, TIMEOUT)?;
                if high > low {
                    ends.push((topic.clone(), partition, high));
                }
            }
        }
        Ok(EndOffsets(ends))
    })
    .await?
}

impl EndOffsets {
    /// Whether the topics contained no messages.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the committed offsets of `group` have reached all of these end offsets.
    pub async fn reached_by(
        &self,
        brokers: &Brokers,
        namespace: &Namespace,
        group: &str,
    ) -> anyhow::Result<bool> {
        let mut config = brokers.config("ends");
        config.set("group.id", namespace.name(group));
        let ends = self.0.clone();
        spawn_blocking(move || {
            let client: BaseConsumer = config.create()?;
            let mut requested = TopicPartitionList::new();
            for (topic, partition, _) in &ends {
                requested.add_partition(topic, *partition);
            }
            let committed = client.committed_offsets(requested, TIMEOUT)?;
            Ok(ends.iter().all(|(topic, partition, end)| {
                let committed = committed.find_partition(topic, *partition);
                matches!(committed.map(|one| one.offset()), Some(Offset::Offset(offset)) if offset >= *end)
            }))
        })
        .await?
    }
}
