//! Measures the lag of a group member. It polls the brokers independently of consuming, because the client's own statistics
//! are not updated while consuming is blocked.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
    error::KafkaResult,
};
use tokio::time::sleep;

use crate::{
    Namespace,
    client::{DebugLogging, run_blocking},
    metrics,
};

/// Polling interval. The first poll also waits for it, because a new member has no partitions at first.
const POLL_INTERVAL: Duration = Duration::from_secs(10);
/// Timeout of one request to the brokers.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Updates the lag metric of the member's partitions of `topics` until this future is dropped.
pub(crate) async fn watch(
    client: &Arc<StreamConsumer<DebugLogging>>,
    namespace: &Namespace,
    topics: &[String],
) -> Infallible {
    loop {
        sleep(POLL_INTERVAL).await;
        let requested = Arc::clone(client);
        // While the brokers are unavailable, the metric keeps its last value.
        if let Some(Ok(lags)) = run_blocking(move || lag_by_topic(&requested)).await {
            for topic in topics {
                let lag = lags.get(topic).copied().unwrap_or_default();
                metrics::lag(namespace.strip(topic), lag);
            }
        }
    }
}

/// Number of messages that are not committed yet, by topic.
fn lag_by_topic(client: &StreamConsumer<DebugLogging>) -> KafkaResult<BTreeMap<String, i64>> {
    let mut lags = BTreeMap::new();
    let committed = client.committed(TIMEOUT)?;
    if committed.count() == 0 {
        return Ok(lags);
    }
    let (begins, ends) = (
        offsets_at(client, &committed, Offset::Beginning)?,
        offsets_at(client, &committed, Offset::End)?,
    );
    for place in committed.elements() {
        let (topic, partition) = (place.topic(), place.partition());
        let at = |offsets: &TopicPartitionList| match offsets.find_partition(topic, partition)?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        if let (Some(begin), Some(end)) = (at(&begins), at(&ends)) {
            // A partition without a committed offset is consumed from its beginning.
            let next = at(&committed).unwrap_or_default().max(begin);
            *lags.entry(topic.to_owned()).or_default() += end - next;
        }
    }
    Ok(lags)
}

/// Returns the first or the end offsets of the partitions with one request per broker. One request per partition would have
/// to queue behind the fetch requests.
fn offsets_at(
    client: &StreamConsumer<DebugLogging>,
    partitions: &TopicPartitionList,
    which: Offset,
) -> KafkaResult<TopicPartitionList> {
    let mut requested = partitions.clone();
    requested.set_all_offsets(which)?;
    // The protocol encodes beginning and end as the timestamps -2 and -1 (ListOffsets).
    client.offsets_for_times(requested, TIMEOUT)
}
