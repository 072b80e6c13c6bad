//! Where the instances of an upstream are now.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use http::HeaderValue;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::Instance;
use crate::config::{Discover, Protocol, Upstream};

/// How often names are asked again. The resolver of the system does not tell the TTL; Compose and Kubernetes use a few
/// seconds.
const EVERY: Duration = Duration::from_secs(5);

/// An upstream and its instances.
#[derive(Debug)]
pub struct Cluster {
    /// Its name in the file.
    pub name: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// `Host` for requests that the gateway makes of its own.
    pub host: HeaderValue,
    discover: Discover,
    instances: ArcSwap<Vec<Arc<Instance>>>,
    next: AtomicUsize,
    away: AtomicBool,
}

impl Cluster {
    /// An upstream that has not been looked for yet.
    #[must_use]
    pub fn new(name: &str, upstream: &Upstream) -> Self {
        let (host, addresses): (_, Vec<SocketAddr>) = match &upstream.discover {
            Discover::Static(addresses) => (None, addresses.clone()),
            Discover::Dns(name) => (
                HeaderValue::from_str(name).ok(),
                name.parse().into_iter().collect(),
            ),
        };
        Self {
            name: name.to_owned(),
            protocol: upstream.protocol,
            host: host.unwrap_or_else(|| HeaderValue::from_static("upstream")),
            discover: upstream.discover.clone(),
            instances: ArcSwap::from_pointee(addresses.into_iter().map(Instance::new).collect()),
            next: AtomicUsize::new(0),
            away: AtomicBool::new(false),
        }
    }

    /// All instances, beginning with the one whose turn it is.
    #[must_use]
    pub fn in_turn(&self) -> Vec<Arc<Instance>> {
        let instances = self.instances.load();
        let mut turn = instances.as_ref().clone();
        if turn.len() > 1 {
            let first = self.next.fetch_add(1, Ordering::Relaxed) % turn.len();
            turn.rotate_left(first);
        }
        turn
    }

    /// All instances, as they are known now.
    #[must_use]
    pub fn instances(&self) -> Arc<Vec<Arc<Instance>>> {
        self.instances.load_full()
    }

    /// The word for how they are found.
    #[must_use]
    pub fn discovered_by(&self) -> &'static str {
        match self.discover {
            Discover::Static(_) => "static",
            Discover::Dns(_) => "dns",
        }
    }

    /// `http://host:port` for a client that resolves by itself.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.discover {
            Discover::Dns(name) => format!("http://{name}"),
            Discover::Static(_) => self
                .in_turn()
                .first()
                .map_or_else(String::new, |instance| format!("http://{}", instance.address)),
        }
    }

    /// Nobody could connect to any instance.
    pub fn lost(&self) {
        self.away.store(true, Ordering::Relaxed);
    }

    /// Whether that has happened, and [`Cluster::takes_connections`] has not found one since.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Looks for the instances, and whether one of them takes a connection.
    pub async fn takes_connections(&self, patience: Duration) -> bool {
        self.resolve().await;
        let connects = self.in_turn().into_iter().map(|instance| {
            let connected = tokio::time::timeout(patience, TcpStream::connect(instance.address));
            async move { matches!(connected.await, Ok(Ok(_))) }
        });
        let takes = futures::future::join_all(connects).await.contains(&true);
        if takes {
            self.away.store(false, Ordering::Relaxed);
        }
        takes
    }

    /// Asks for the instances once. Keeps the known ones when there is no answer.
    pub async fn resolve(&self) {
        let Discover::Dns(name) = &self.discover else {
            return;
        };
        match tokio::net::lookup_host(name).await {
            Ok(found) => {
                let mut found: Vec<_> = found.collect();
                // IPv4 and IPv6 of one loopback instance would count as two.
                let v4: Vec<_> = found.iter().copied().filter(SocketAddr::is_ipv4).collect();
                if !v4.is_empty() {
                    found = v4;
                }
                found.sort_unstable();
                found.dedup();
                let known = self.instances.load();
                if !known
                    .iter()
                    .map(|instance| instance.address)
                    .eq(found.iter().copied())
                {
                    tracing::info!(upstream = self.name, instances = ?found, "instances changed");
                    // Those that stay keep their figures.
                    let instance = |address| {
                        let known = known.iter().find(|known| known.address == address);
                        known.map_or_else(|| Instance::new(address), Arc::clone)
                    };
                    self.instances
                        .store(Arc::new(found.into_iter().map(instance).collect()));
                }
            }
            Err(error) => tracing::debug!(upstream = self.name, %error, "the name does not resolve"),
        }
    }
}

/// Keeps the instances of all upstreams up to date.
pub async fn resolve_for_ever(clusters: Vec<Arc<Cluster>>, stop: CancellationToken) {
    loop {
        for cluster in &clusters {
            cluster.resolve().await;
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}
