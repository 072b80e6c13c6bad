//! Service discovery: finds the instances of an upstream, and follows their changes.

mod consul;
pub(crate) mod docker;
mod kubernetes;

use std::{net::SocketAddr, time::Duration};

use super::Cluster;
use crate::config::Discover;

/// How often names are resolved again. The system's resolver does not return the TTL of a name; Compose and Kubernetes
/// use a few seconds.
const RESOLVE_INTERVAL: Duration = Duration::from_secs(5);
/// How long to wait after a registry could not be asked, or has ended a watch.
pub(crate) const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Timeout for connecting to a registry.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Timeout for a request that the registry answers immediately.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Finds the current instances. `None` if they are listed in the file.
pub(super) async fn find(discover: &Discover) -> anyhow::Result<Option<Vec<SocketAddr>>> {
    Ok(match discover {
        Discover::Static(_) => None,
        Discover::Dns(name) => Some(tokio::net::lookup_host(name).await?.collect()),
        Discover::Consul(rules) => Some(consul::Query::new(rules)?.find().await?),
        Discover::Docker(rules) => Some(docker::find(rules).await?),
        Discover::Kubernetes(rules) => Some(kubernetes::Slices::list(rules).await?.addresses()),
    })
}

/// Keeps the instances of all upstreams up to date.
pub async fn follow(clusters: &[std::sync::Arc<Cluster>]) {
    futures::future::join_all(clusters.iter().map(|cluster| follow_one(cluster))).await;
}

async fn follow_one(cluster: &Cluster) {
    loop {
        let result = match &cluster.discover {
            Discover::Static(_) => return,
            Discover::Dns(_) => {
                cluster.resolve().await;
                tokio::time::sleep(RESOLVE_INTERVAL).await;
                continue;
            }
            Discover::Consul(rules) => consul::follow(rules, cluster).await,
            Discover::Docker(rules) => docker::follow(rules, cluster).await,
            Discover::Kubernetes(rules) => kubernetes::follow(rules, cluster).await,
        };
        if let Err(error) = result {
            tracing::warn!(
                upstream = cluster.name,
                error = format!("{error:#}"),
                "service discovery failed; keeping the known instances and retrying in 1 s"
            );
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
}
