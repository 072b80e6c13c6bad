//! An upstream and its instances, which service discovery keeps up to date.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use http::HeaderValue;
use souk_tls::Connector;
use telemetry::metrics::GaugeSeries;
use tokio::sync::Notify;

use super::{Instance, Overloaded, Ticket, adaptive::AdaptiveLimit, connect::open, discover};
use crate::{
    config::{self, Balance, Consul, Discover, Kubernetes, Protocol, Upstream},
    message::Client,
    metrics::{UPSTREAM_EJECTIONS, UPSTREAM_HEALTHY, UPSTREAM_INSTANCES},
};

/// An instance that has not responded for at least this time is at fault, whatever the deadline was.
const FAIR_TIME: Duration = Duration::from_secs(1);

/// An upstream and its current instances, shared by all cores.
#[derive(Debug)]
pub struct Cluster {
    /// Name of the upstream in the file.
    pub name: String,
    /// Protocol that all instances speak.
    pub protocol: Protocol,
    /// Value of `Host` in requests that the gateway builds itself.
    pub host: HeaderValue,
    /// How connections are encrypted; `None` if they are not.
    pub(super) tls: Option<Connector>,
    pub(super) balance: Balance,
    pub(super) slow_start: Option<Duration>,
    pub(super) health: Option<config::Health>,
    pub(super) eject: Option<config::Eject>,
    adaptive: Option<Arc<AdaptiveLimit>>,
    /// Held while an instance is being ejected.
    pub(super) ejecting: Mutex<()>,
    pub(super) discover: Discover,
    /// Notified when the instances change.
    pub(super) changed: Notify,
    healthy: GaugeSeries,
    known: GaugeSeries,
    instances: ArcSwap<Vec<Arc<Instance>>>,
    /// Counts the requests, if they go to all instances in turn.
    pub(super) next: AtomicUsize,
    /// Set while no instance accepts connections.
    unreachable: AtomicBool,
}

impl Cluster {
    /// An upstream with its configured addresses. Names are not resolved yet; see [`Cluster::resolve`]. Fails if a file of
    /// `mtls` cannot be used.
    pub fn new(name: &str, upstream: &Upstream) -> anyhow::Result<Self> {
        let protocol = match upstream.protocol {
            Protocol::Http => souk_tls::Protocol::Http1,
            Protocol::Grpc => souk_tls::Protocol::Http2,
        };
        let tls = upstream.mtls.as_ref().map(|mtls| mtls.connector(protocol));
        let (host, addresses): (_, Vec<SocketAddr>) = match &upstream.discover {
            Discover::Static(addresses) => (None, addresses.clone()),
            Discover::Consul(Consul { service, .. }) | Discover::Kubernetes(Kubernetes { service, .. }) => {
                (HeaderValue::from_str(service).ok(), vec![])
            }
            Discover::Docker(docker) => (HeaderValue::from_str(docker.service()).ok(), vec![]),
            Discover::Dns(name) => (
                HeaderValue::from_str(name).ok(),
                name.parse().into_iter().collect(),
            ),
        };
        // Create the series now, so that it is exposed as 0.
        UPSTREAM_EJECTIONS.of([("upstream", name)]);
        Ok(Self {
            name: name.to_owned(),
            protocol: upstream.protocol,
            tls: tls.transpose()?.flatten(),
            host: host.unwrap_or_else(|| HeaderValue::from_static("upstream")),
            balance: upstream.balance.clone(),
            slow_start: upstream.slow_start.map(|span| span.0),
            health: upstream.health.clone(),
            eject: upstream.eject.clone(),
            adaptive: (upstream.adaptive.as_ref()).map(|rules| AdaptiveLimit::new(name, rules)),
            ejecting: Mutex::default(),
            discover: upstream.discover.clone(),
            changed: Notify::new(),
            healthy: UPSTREAM_HEALTHY.of([("upstream", name)]),
            known: UPSTREAM_INSTANCES.of([("upstream", name)]),
            instances: ArcSwap::from_pointee(
                (addresses.into_iter())
                    .map(|address| Instance::new(address, upstream.health.is_some()))
                    .collect(),
            ),
            next: AtomicUsize::new(0),
            unreachable: AtomicBool::new(false),
        })
    }

    /// All instances that are currently known, ordered by address if they come from DNS.
    #[must_use]
    pub fn instances(&self) -> Arc<Vec<Arc<Instance>>> {
        self.instances.load_full()
    }

    /// Permission of the adaptive limit for a call of this client. `None` if the upstream has none.
    pub fn admit(&self, client: &Client) -> Result<Option<Ticket>, Overloaded> {
        self.adaptive
            .as_ref()
            .map(|limit| limit.admit(client))
            .transpose()
    }

    /// Records that an instance responded after this time.
    pub fn record_success(&self, instance: &Instance, took: Duration) {
        instance.record_latency(took);
        instance.health.request_succeeded();
    }

    /// Records that an instance failed after this time. A gateway error may eject it: it responded with 502, 503 or 504,
    /// or it refused or broke a connection.
    pub fn record_failure(
        &self,
        instance: &Instance,
        reason: &dyn std::fmt::Display,
        took: Duration,
        is_gateway_error: bool,
    ) {
        instance.record_failure(reason, took);
        if is_gateway_error {
            self.count_gateway_error(instance);
        }
    }

    /// Records that an instance has not responded for this time. This counts as a gateway error, unless the time was
    /// short.
    pub fn record_timeout(&self, instance: &Instance, took: Duration) {
        self.record_failure(
            instance,
            &"no response before the deadline",
            took,
            took >= FAIR_TIME,
        );
    }

    /// Updates the metrics of the instances.
    pub(super) fn observe(&self) {
        let instances = self.instances();
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        self.known.set(count(instances.len()));
        let available = instances.iter().filter(|one| one.is_available());
        self.healthy.set(count(available.count()));
    }

    /// The kind of discovery, as in the file.
    #[must_use]
    pub fn discovery(&self) -> &'static str {
        match self.discover {
            Discover::Static(_) => "static",
            Discover::Dns(_) => "dns",
            Discover::Consul(_) => "consul",
            Discover::Docker(_) => "docker",
            Discover::Kubernetes(_) => "kubernetes",
        }
    }

    /// Scheme of the URLs of this upstream.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// `http://host:port` of an upstream that has a name.
    pub(super) fn origin(&self) -> Option<http::Uri> {
        match &self.discover {
            Discover::Dns(name) => format!("{}://{name}", self.scheme()).parse().ok(),
            _ => None,
        }
    }

    /// Records that no instance accepted a connection.
    pub fn mark_unreachable(&self) {
        self.unreachable.store(true, Ordering::Relaxed);
    }

    /// Whether no instance accepted a connection, and [`Cluster::accepts_connections`] has not succeeded since.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        self.unreachable.load(Ordering::Relaxed)
    }

    /// Resolves the instances and tries to connect to each, for at most `timeout`. Returns whether one accepted; the
    /// upstream is then no longer marked unreachable.
    pub async fn accepts_connections(&self, timeout: Duration) -> bool {
        self.resolve().await;
        let instances = self.instances();
        let connects = instances.iter().map(|instance| {
            let connected = tokio::time::timeout(timeout, open(instance.address, self.tls.as_ref()));
            async move { matches!(connected.await, Ok(Ok(_))) }
        });
        let accepted = futures::future::join_all(connects).await.contains(&true);
        if accepted {
            self.unreachable.store(false, Ordering::Relaxed);
        }
        accepted
    }

    /// Finds the instances once, unless the file lists them. Keeps the known ones if that fails.
    pub async fn resolve(&self) {
        match discover::find(&self.discover).await {
            Ok(found) => found.into_iter().for_each(|found| self.set_instances(found)),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::debug!(
                    upstream = self.name,
                    error,
                    "finding the instances failed; keeping the known ones"
                );
            }
        }
    }

    /// Takes over the addresses that service discovery has found. Instances that remain keep their state.
    pub(super) fn set_instances(&self, mut found: Vec<SocketAddr>) {
        // The IPv4 and IPv6 addresses of one instance would count as two instances.
        if found.iter().any(SocketAddr::is_ipv4) {
            found.retain(SocketAddr::is_ipv4);
        }
        found.sort_unstable();
        found.dedup();
        let known = self.instances.load();
        let addresses = known.iter().map(|instance| instance.address);
        if addresses.eq(found.iter().copied()) {
            return;
        }
        tracing::info!(upstream = self.name, instances = ?found, "the instances of an upstream have changed");
        let instance = |address| {
            let known = known.iter().find(|known| known.address == address);
            known.map_or_else(|| Instance::new(address, self.health.is_some()), Arc::clone)
        };
        self.instances
            .store(Arc::new(found.into_iter().map(instance).collect()));
        self.changed.notify_one();
    }
}
