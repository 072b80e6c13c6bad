//! How far a member of a group is behind. It is asked apart from consuming, and not taken from the client's statistics,
//! which stand still whenever consuming does.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
    error::KafkaResult,
};
use tokio::time::sleep;

use crate::{
    Namespace,
    client::{Quiet, apart},
    metrics,
};

/// Between two looks, and before the first: until then a member that has just joined has no partitions.
const EVERY: Duration = Duration::from_secs(10);
/// For one question to the brokers.
const PATIENCE: Duration = Duration::from_secs(2);

/// Shows on `/metrics` what waits in the member's partitions of `topics`, for as long as this is polled.
pub(crate) async fn watch(
    client: &Arc<StreamConsumer<Quiet>>,
    namespace: &Namespace,
    topics: &[String],
) -> Infallible {
    loop {
        sleep(EVERY).await;
        let asked = Arc::clone(client);
        // While the brokers are away, what was last known stays.
        if let Some(Ok(lags)) = apart(move || behind(&asked)).await {
            for topic in topics {
                let lag = lags.get(topic).copied().unwrap_or_default();
                metrics::lag(namespace.strip(topic), lag);
            }
        }
    }
}

/// Messages that are not committed yet, by topic.
fn behind(client: &StreamConsumer<Quiet>) -> KafkaResult<BTreeMap<String, i64>> {
    let mut lags = BTreeMap::new();
    let committed = client.committed(PATIENCE)?;
    if committed.count() == 0 {
        return Ok(lags);
    }
    let (begins, ends) = (
        places(client, &committed, Offset::Beginning)?,
        places(client, &committed, Offset::End)?,
    );
    for place in committed.elements() {
        let (topic, partition) = (place.topic(), place.partition());
        let at = |places: &TopicPartitionList| match places.find_partition(topic, partition)?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        if let (Some(begin), Some(end)) = (at(&begins), at(&ends)) {
            // Where nothing is committed yet, it begins with the beginning.
            let next = at(&committed).unwrap_or_default().max(begin);
            *lags.entry(topic.to_owned()).or_default() += end - next;
        }
    }
    Ok(lags)
}

/// Where the partitions begin or end, by one question to each broker: one a partition would wait behind as many fetches.
fn places(
    client: &StreamConsumer<Quiet>,
    partitions: &TopicPartitionList,
    which: Offset,
) -> KafkaResult<TopicPartitionList> {
    let mut asked = partitions.clone();
    asked.set_all_offsets(which)?;
    // Beginning and end are times to the protocol (ListOffsets: -2 and -1).
    client.offsets_for_times(asked, PATIENCE)
}
