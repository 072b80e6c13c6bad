//! What requests work with: the compiled file, shared by all cores, and each core's own connections.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use http::HeaderName;
use telemetry::grpc::Traced;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::transport::{Channel, Endpoint};

use crate::{
    chain::{Auth, Cors, Link, Rate, ScopeRule},
    config::{self, Config, Limits, Protocol},
    connections::Connections,
    metrics::CONNECTIONS_REFUSED,
    openapi::Documents,
    route::{Compiled, Table},
    upstream::{Breaker, Cluster, InFlightLimit, Pool, Target, breaker, resolve_for_ever},
};

/// The file, ready for requests.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) limits: Limits,
    pub(crate) listeners: Vec<config::Listener>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) clusters: Vec<Arc<Cluster>>,
    pub(crate) breakers: Vec<Arc<Breaker>>,
    pub(crate) table: Table,
    /// Headers that only the gateway may set.
    pub(crate) own_headers: Vec<HeaderName>,
    pub(crate) documents: Option<Documents>,
    /// The quota of what no route takes.
    pub(crate) unmatched: Option<Arc<Rate>>,
    auths: Vec<Arc<Auth>>,
    rates: Vec<Arc<Rate>>,
    /// Cancelled when it is about to stop.
    pub(crate) draining: CancellationToken,
}

impl Gateway {
    /// Compiles a checked file.
    pub fn new(config: Config) -> anyhow::Result<Arc<Self>> {
        let names: Vec<&String> = config.upstreams.keys().collect();
        let index = |name: &str| names.iter().position(|known| *known == name).unwrap_or_default();
        let clusters: Vec<_> = config
            .upstreams
            .iter()
            .map(|(name, upstream)| Arc::new(Cluster::new(name, upstream)))
            .collect();
        let auths: BTreeMap<&String, Arc<Auth>> = config
            .auth
            .iter()
            .map(|(name, auth)| (name, Arc::new(Auth::new(auth, index))))
            .collect();
        let mut rates = vec![];
        let mut link = |policy: &str, link: &config::Link| match link {
            // A breaker and a limit stand behind the chain, before each upstream.
            config::Link::Anonymous | config::Link::Breaker(_) | config::Link::InFlight(_) => None,
            config::Link::Auth(name) => auths.get(&name.value).cloned().map(Link::Auth),
            config::Link::AuthIfGiven(name) => auths.get(&name.value).cloned().map(Link::AuthIfGiven),
            config::Link::Role(role) => Some(Link::Role(role.clone())),
            config::Link::Scope(rule) => Some(Link::Scope(Arc::new(ScopeRule::new(rule)))),
            config::Link::Rate(rate) => {
                let rate = Arc::new(Rate::new(policy, rate));
                rates.push(Arc::clone(&rate));
                Some(Link::Rate(rate))
            }
            config::Link::Cors(cors) => Some(Link::Cors(Arc::new(Cors::new(cors)))),
        };
        let policies: BTreeMap<&String, Vec<Link>> = config
            .policies
            .iter()
            .map(|(name, links)| (name, links.iter().filter_map(|one| link(name, one)).collect()))
            .collect();
        let mut routes = vec![];
        let mut breakers: Vec<Arc<Breaker>> = vec![];
        let mut limits: Vec<Arc<InFlightLimit>> = vec![];
        for (name, route) in &config.routes {
            let mut target = |to: &str| {
                let upstream = index(to);
                let known = breakers.iter().find(|one| one.is_of(name, to)).cloned();
                let breaker = known.or_else(|| {
                    let rules = config.breakers(route).next()?;
                    let deadline = route.deadline.map_or(config.limits.deadline.0, |span| span.0);
                    breakers.push(Arc::new(Breaker::new(name, &clusters[upstream], rules, deadline)));
                    breakers.last().cloned()
                });
                let known = limits.iter().find(|one| one.is_of(name, to)).cloned();
                let in_flight = known.or_else(|| {
                    let rules = config.in_flight(route).next()?;
                    limits.push(InFlightLimit::new(name, to, rules));
                    limits.last().cloned()
                });
                Target {
                    upstream,
                    breaker,
                    in_flight,
                }
            };
            let links = route
                .uses
                .iter()
                .filter_map(|policy| policies.get(&policy.value))
                .flatten()
                .cloned()
                .collect();
            routes.push(Compiled::new(
                name,
                route,
                links,
                config.limits.deadline.0,
                &mut target,
            )?);
        }
        let unmatched = config
            .unmatched
            .as_ref()
            .map(|rate| Arc::new(Rate::new("unmatched", rate)));
        rates.extend(unmatched.clone());
        // Exposed from the start, as 0.
        CONNECTIONS_REFUSED.of([("reason", "address")]);
        let own_headers = auths
            .values()
            .flat_map(|auth| auth.header_names().cloned())
            .collect();
        let documents = config
            .openapi
            .as_ref()
            .map(|openapi| Documents::new(openapi, index));
        Ok(Arc::new(Self {
            table: Table::new(&config, routes)?,
            clusters,
            breakers,
            own_headers,
            documents,
            unmatched,
            auths: auths.into_values().collect(),
            rates,
            connections: Connections::new(config.limits.connections_per_address),
            limits: config.limits,
            listeners: config.listeners.into_values().collect(),
            draining: CancellationToken::new(),
        }))
    }

    /// Starts what goes on beside the requests: discovery, keys, forgetting of quotas.
    pub fn spawn_background(self: &Arc<Self>, tasks: &TaskTracker, stop: &CancellationToken) {
        tasks.spawn(resolve_for_ever(self.clusters.clone(), stop.clone()));
        tasks.spawn(breaker::watch(
            self.breakers.clone(),
            self.clusters.clone(),
            self.limits.connect.0,
            stop.clone(),
        ));
        for auth in &self.auths {
            let (auth, stop) = (Arc::clone(auth), stop.clone());
            tasks.spawn(async move { auth.run(stop).await });
        }
        let (this, stop) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move {
            while stop
                .run_until_cancelled(tokio::time::sleep(Duration::from_mins(1)))
                .await
                .is_some()
            {
                this.rates.iter().for_each(|rate| rate.forget());
            }
        });
    }

    /// Whether it can verify tokens and is not about to stop.
    #[must_use]
    pub fn ready(&self) -> bool {
        !self.draining.is_cancelled() && self.auths.iter().all(|auth| auth.ready())
    }

    /// From now on it is not ready, and streams end.
    pub fn drain(&self) {
        self.draining.cancel();
    }
}

/// One core's share.
#[derive(Debug)]
pub struct Core {
    pub(crate) gateway: Arc<Gateway>,
    /// By the number of the upstream.
    pub(crate) pools: Vec<Arc<Pool>>,
    channels: Vec<Option<Traced<Channel>>>,
}

impl Core {
    /// Made on the core's own runtime, which drives its connections.
    pub(crate) fn new(gateway: Arc<Gateway>) -> anyhow::Result<Arc<Self>> {
        let connect = gateway.limits.connect.0;
        let channel = |cluster: &Arc<Cluster>| {
            if cluster.protocol != Protocol::Grpc {
                return Ok(None);
            }
            let endpoint = Endpoint::from_shared(cluster.url())?.connect_timeout(connect);
            anyhow::Ok(Some(telemetry::grpc::client(endpoint.connect_lazy())))
        };
        Ok(Arc::new(Self {
            pools: gateway
                .clusters
                .iter()
                .map(|cluster| Arc::new(Pool::new(Arc::clone(cluster), connect)))
                .collect(),
            channels: gateway.clusters.iter().map(channel).collect::<Result<_, _>>()?,
            gateway,
        }))
    }

    /// The way to a gRPC upstream; the file's check has made sure that it is one.
    pub(crate) fn channel(&self, upstream: usize) -> Option<Traced<Channel>> {
        self.channels.get(upstream).cloned().flatten()
    }
}
