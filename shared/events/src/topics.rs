//! The topics and their settings. Automatic topic creation is disabled on the brokers, because a topic created by a
//! misspelled name would have one partition and unsuitable retention.
//!
//! The events of orders, payments and inventory describe *changes*. Every event of a key matters, so compaction is not
//! possible, and events are deleted after 30 days, as in the services' tables. The events of users contain the whole
//! *state* of an account, and sending an email needs the address of an account of any age. Their topic is therefore
//! compacted: it keeps the last event of each account for ever, and all events for a week.

use std::time::Duration;

use chrono::TimeDelta;
use contracts::events::topics;
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    types::RDKafkaErrorCode,
};

use crate::{Brokers, Namespace, client::DebugLogging};

/// Maximum number of members of a group that can share a topic. Changing it would move keys to other partitions, which
/// breaks the order of their events.
const PARTITIONS: i32 = 6;
const TIMEOUT: Duration = Duration::from_secs(10);

/// Minimum time for which Kafka keeps the events of changes, unless a partition exceeds its maximum size.
pub(crate) const MIN_RETENTION: TimeDelta = TimeDelta::days(30);
/// Settings of topics whose events describe changes. Their `retention.ms` is [`MIN_RETENTION`].
const CHANGES: [(&str, &str); 4] = [
    ("cleanup.policy", "delete"),
    ("retention.ms", "2592000000"),
    ("retention.bytes", "1073741824"),
    // Kafka deletes whole segments only.
    ("segment.bytes", "67108864"),
];
/// Settings of topics whose events contain the whole state of their key.
const STATE: [(&str, &str); 4] = [
    ("cleanup.policy", "compact"),
    ("min.compaction.lag.ms", "604800000"),
    ("segment.bytes", "67108864"),
    ("segment.ms", "604800000"),
];

/// Creates the topics that do not exist. The settings of existing topics are not changed.
pub async fn create(brokers: &Brokers, namespace: &Namespace) -> anyhow::Result<()> {
    let admin: AdminClient<DebugLogging> = brokers.config("topics").create_with_context(DebugLogging)?;
    let names = topics::ALL.map(|topic| (topic, namespace.name(topic)));
    let wanted: Vec<NewTopic<'_>> = names
        .iter()
        .map(|(topic, name)| {
            let settings = if *topic == topics::USERS { STATE } else { CHANGES };
            // -1 selects the default replication factor of the brokers.
            let topic = NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(-1));
            settings
                .into_iter()
                .fold(topic, |topic, (key, value)| topic.set(key, value))
        })
        .collect();
    let options = AdminOptions::new()
        .request_timeout(Some(TIMEOUT))
        .operation_timeout(Some(TIMEOUT));
    for result in admin.create_topics(&wanted, &options).await? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, error)) => anyhow::bail!("cannot create the topic {topic}: {error}"),
        }
    }
    Ok(())
}
