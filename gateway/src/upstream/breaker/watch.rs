//! Changes of breakers that happen without a call. An open breaker becomes half-open when its time is over. When an
//! upstream that was unreachable accepts connections again, it is a new process, so its breakers become half-open
//! immediately (docs/adr/0011).

use std::{sync::Arc, time::Duration};

use futures::future::join_all;

use super::{Breaker, Machine};
use crate::upstream::Cluster;

/// Time between two checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Checks all breakers once a second. Connecting to an unreachable upstream times out after `connect`.
pub async fn watch(breakers: &[Arc<Breaker>], clusters: &[Arc<Cluster>], connect: Duration) {
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        for breaker in breakers {
            breaker.with_machine(Machine::tick);
        }
        join_all((clusters.iter()).map(|cluster| check_unreachable(cluster, breakers, connect))).await;
    }
}

/// If an unreachable upstream accepts connections again, makes its open breakers half-open.
async fn check_unreachable(cluster: &Cluster, breakers: &[Arc<Breaker>], connect: Duration) {
    if cluster.is_unreachable() && cluster.accepts_connections(connect).await {
        tracing::info!(
            upstream = cluster.name,
            "the upstream accepts connections again; its open breakers become half-open"
        );
        for breaker in breakers
            .iter()
            .filter(|breaker| breaker.cluster.name == cluster.name)
        {
            breaker.with_machine(|machine, _| machine.half_open());
        }
    }
}
