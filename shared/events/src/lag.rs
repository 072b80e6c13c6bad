//! How far a member of a group is behind. It is asked apart from consuming, and not taken from the client's statistics,
//! which stand still whenever consuming does.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use rdkafka::{
    Offset,
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
    for place in client.committed(PATIENCE)?.elements() {
        let (low, high) = client.fetch_watermarks(place.topic(), place.partition(), PATIENCE)?;
        let next = match place.offset() {
            Offset::Offset(next) => next.max(low),
            // Nothing is committed yet: it begins with the beginning.
            _ => low,
        };
        *lags.entry(place.topic().to_owned()).or_default() += high - next;
    }
    Ok(lags)
}
