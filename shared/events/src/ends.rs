//! How far a group has come, for those who read a log up to where it ends now.

use std::time::Duration;

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};
use tokio::task::spawn_blocking;

use crate::{Brokers, Namespace, client::partitions};

const PATIENCE: Duration = Duration::from_secs(10);

/// Where topics ended at some time: topic as Kafka knows it, partition, and the offset after the last message. Partitions
/// without a message are left out.
#[derive(Debug, Clone)]
pub struct Ends(Vec<(String, i32, i64)>);

/// Where `topics` end now.
pub async fn ends(brokers: &Brokers, namespace: &Namespace, topics: &[&str]) -> anyhow::Result<Ends> {
    let config = brokers.config("ends");
    let topics: Vec<_> = topics.iter().map(|topic| namespace.name(topic)).collect();
    spawn_blocking(move || {
        let client: BaseConsumer = config.create()?;
        let mut ends = Vec::new();
        for topic in topics {
            for partition in partitions(&client, &topic, PATIENCE)? {
                let (low, high) = client.fetch_watermarks(&topic, partition, PATIENCE)?;
                if high > low {
                    ends.push((topic.clone(), partition, high));
                }
            }
        }
        Ok(Ends(ends))
    })
    .await?
}

impl Ends {
    /// Whether there is no message at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `group` has consumed everything before them.
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
            let mut asked = TopicPartitionList::new();
            for (topic, partition, _) in &ends {
                asked.add_partition(topic, *partition);
            }
            let committed = client.committed_offsets(asked, PATIENCE)?;
            Ok(ends.iter().all(|(topic, partition, end)| {
                let committed = committed.find_partition(topic, *partition);
                matches!(committed.map(|one| one.offset()), Some(Offset::Offset(offset)) if offset >= *end)
            }))
        })
        .await?
    }
}
