//! The topics and their settings. Brokers make no topic by themselves: one that came into being by a slip of the pen
//! would have one partition and nobody's idea of retention.
//!
//! Orders, payments and inventory tell what *happened*: each event of a key matters, so old ones are deleted by time, after
//! the 30 days for which the services' tables keep them, too, and compaction would tear holes into a story. Users tell what
//! an account *is*: each event has the whole of it, and mail must find an address however long ago somebody signed up. So
//! that topic is compacted: the last event of each account stays for ever, all events for a week.

use std::time::Duration;

use chrono::TimeDelta;
use contracts::events::topics;
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    types::RDKafkaErrorCode,
};

use crate::{Brokers, Namespace, client::Quiet};

/// As many consumers of a group can share the work of a topic. It cannot be changed without moving keys between
/// partitions, and so breaking their order.
const PARTITIONS: i32 = 6;
const PATIENCE: Duration = Duration::from_secs(10);

/// For how long Kafka keeps events of a story at least, but for their size.
pub(crate) const KEPT: TimeDelta = TimeDelta::days(30);
/// Settings of topics whose events are a story. Their `retention.ms` is [`KEPT`].
const STORY: [(&str, &str); 4] = [
    ("cleanup.policy", "delete"),
    ("retention.ms", "2592000000"),
    ("retention.bytes", "1073741824"),
    // What is deleted is whole segments.
    ("segment.bytes", "67108864"),
];
/// Settings of a topic whose newest event of a key says all.
const STATE: [(&str, &str); 4] = [
    ("cleanup.policy", "compact"),
    ("min.compaction.lag.ms", "604800000"),
    ("segment.bytes", "67108864"),
    ("segment.ms", "604800000"),
];

/// Creates the topics that are not there. Those that are stay as they are.
pub async fn create(brokers: &Brokers, namespace: &Namespace) -> anyhow::Result<()> {
    let admin: AdminClient<Quiet> = brokers.config("topics").create_with_context(Quiet)?;
    let names = topics::ALL.map(|topic| (topic, namespace.name(topic)));
    let wanted: Vec<NewTopic<'_>> = names
        .iter()
        .map(|(topic, name)| {
            let settings = if *topic == topics::USERS { STATE } else { STORY };
            // As many copies as the brokers are set to keep.
            let topic = NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(-1));
            settings
                .into_iter()
                .fold(topic, |topic, (key, value)| topic.set(key, value))
        })
        .collect();
    let options = AdminOptions::new()
        .request_timeout(Some(PATIENCE))
        .operation_timeout(Some(PATIENCE));
    for result in admin.create_topics(&wanted, &options).await? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, error)) => anyhow::bail!("cannot create the topic {topic}: {error}"),
        }
    }
    Ok(())
}
