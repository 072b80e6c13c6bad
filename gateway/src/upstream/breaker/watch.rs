//! What breakers do without being asked. The time of an open one passes; and when an upstream to which nobody could
//! connect takes connections again, that is another process than the one that was judged: its breakers let probes
//! through at once, rather than when their time is over (docs/adr/0011).

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use super::{Breaker, Machine};
use crate::upstream::Cluster;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);

/// Watches until `stop`; a connection may take `connect` to be made.
pub async fn watch(
    breakers: Vec<Arc<Breaker>>,
    clusters: Vec<Arc<Cluster>>,
    connect: Duration,
    stop: CancellationToken,
) {
    let look = async {
        loop {
            tokio::time::sleep(EVERY).await;
            for breaker in &breakers {
                breaker.with(Machine::tick);
            }
            join_all((clusters.iter()).map(|cluster| look_after(cluster, &breakers, connect))).await;
        }
    };
    let _ = stop.run_until_cancelled(look).await;
}

/// Lets probes through the open breakers of an upstream that is back.
async fn look_after(cluster: &Cluster, breakers: &[Arc<Breaker>], connect: Duration) {
    if cluster.is_away() && cluster.takes_connections(connect).await {
        tracing::info!(upstream = cluster.name, "takes connections again");
        for breaker in breakers
            .iter()
            .filter(|breaker| breaker.cluster.name == cluster.name)
        {
            breaker.with(|machine, _| machine.try_again());
        }
    }
}
