//! Compiles a configuration into an immutable [`Snapshot`], which all cores share. Parts that have a state, such as
//! breakers, quotas and connections, are taken over from the previous snapshot if their configuration is unchanged.

mod check;
mod explain;
mod guards;
mod matching;
mod table;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use http::HeaderName;
use tokio::runtime::Handle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use explain::explain;
pub(crate) use explain::kind as link_kind;
use guards::{Guards, Named};
pub(crate) use matching::Wanted;
pub(crate) use table::{CompiledRoute, Lookup, Table};

use crate::{
    actions::Action,
    config::{self, Config, ConfigError},
    links::{self, Auth, Policies, Rate, Redis},
    openapi::Documents,
    report::Traffic,
    upstream::{self, Cluster, breaker, health},
};

/// A compiled configuration. A request uses the snapshot that was current when it began.
#[derive(Debug)]
pub struct Snapshot {
    /// The configuration that this was compiled from.
    pub(crate) config: Arc<Config>,
    /// The upstreams, in the order of the configuration.
    pub(crate) clusters: Vec<Arc<Cluster>>,
    pub(crate) guards: Guards,
    pub(crate) table: Table,
    /// Headers that only the gateway may set; a client's are removed.
    pub(crate) own_headers: Vec<HeaderName>,
    pub(crate) documents: Option<Documents>,
    /// Quota for requests that match no route; `None` means unlimited.
    pub(crate) unmatched: Option<Arc<Rate>>,
    auths: BTreeMap<String, Arc<Auth>>,
    policies: Policies,
    redis: Option<Arc<Redis>>,
    /// Cancelled when another snapshot takes the place of this one.
    replaced: CancellationToken,
}

/// Checks everything that the types of the configuration cannot express.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    config.check()
}

impl Snapshot {
    /// Checks and compiles a configuration. Starts nothing. `draining` ends streams when it is cancelled.
    pub(crate) fn compile(
        config: Config,
        previous: Option<&Self>,
        draining: &CancellationToken,
    ) -> anyhow::Result<Self> {
        check(&config)?;
        let index = |name: &str| {
            config
                .upstreams
                .keys()
                .position(|known| known == name)
                .unwrap_or_default()
        };
        let clusters: Vec<_> = config
            .upstreams
            .iter()
            .map(|(name, upstream)| {
                let known = previous.and_then(|previous| previous.cluster(name, upstream));
                known.map_or_else(
                    || {
                        Cluster::new(name, upstream)
                            .map(Arc::new)
                            .with_context(|| format!("upstream `{name}`"))
                    },
                    Ok,
                )
            })
            .collect::<anyhow::Result<_>>()?;
        let auths: BTreeMap<String, Arc<Auth>> = config
            .auth
            .iter()
            .map(|(name, auth)| {
                let known = previous.and_then(|previous| previous.auth(name, auth, &config));
                let auth = known.map_or_else(
                    || {
                        Auth::new(auth, index)
                            .map(Arc::new)
                            .with_context(|| format!("auth `{name}`"))
                    },
                    Ok,
                );
                Ok((name.clone(), auth?))
            })
            .collect::<anyhow::Result<_>>()?;
        let redis = Self::redis(&config, previous)?;
        let links = links::Parts {
            config: &config,
            auths: &auths,
            redis: redis.as_ref(),
        };
        let policies = Policies::compile(links, previous.map(|previous| &previous.policies))?;
        let unmatched = Self::unmatched(&config, redis.as_ref(), previous);
        let mut routes = vec![];
        let mut guards = Guards::default();
        let old = previous.map(|previous| &previous.guards);
        for (name, route) in &config.routes {
            let deadline = route.deadline.unwrap_or(config.limits.deadline).0;
            let named = Named {
                name,
                route,
                deadline,
            };
            let mut target = |to: &str| {
                let upstream = index(to);
                guards.target(old, &config, named, (upstream, &clusters[upstream]))
            };
            let links = route.uses.iter().flat_map(|policy| policies.links(&policy.value));
            routes.push(CompiledRoute {
                name: name.clone(),
                path: route.matches.path.value.clone(),
                links: links.cloned().collect(),
                action: {
                    let others = links::alternatives(&config, route);
                    Action::new(&config, route, &others, &mut target, draining)
                        .with_context(|| format!("route {name}"))?
                },
                deadline,
                traffic: known_traffic(previous, name),
            });
        }
        let config = Arc::new(config);
        Ok(Self {
            table: Table::new(&config, routes)?,
            clusters,
            guards,
            own_headers: auths
                .values()
                .flat_map(|auth| auth.header_names().cloned())
                .collect(),
            documents: Documents::new(&config),
            unmatched,
            auths,
            policies,
            redis,
            config,
            replaced: CancellationToken::new(),
        })
    }

    /// The connection to Redis; that of the previous snapshot if its configuration is still the same.
    fn redis(config: &Config, previous: Option<&Self>) -> anyhow::Result<Option<Arc<Redis>>> {
        let same = previous.filter(|previous| previous.config.redis == config.redis);
        match (&config.redis, same) {
            (Some(rules), None) => Ok(Some(Arc::new(Redis::new(rules)?))),
            (_, same) => Ok(same.and_then(|previous| previous.redis.clone())),
        }
    }

    /// The quota for requests that match no route; that of the previous snapshot if its configuration is still the same.
    fn unmatched(config: &Config, redis: Option<&Arc<Redis>>, previous: Option<&Self>) -> Option<Arc<Rate>> {
        let rules = config.unmatched.as_ref()?;
        let same = previous.filter(|previous| previous.config.unmatched.as_ref() == Some(rules));
        let known = same.and_then(|previous| previous.unmatched.clone());
        let known = known.filter(|rate| rate.is_counted_in(redis));
        Some(known.unwrap_or_else(|| Arc::new(Rate::new("unmatched", rules, redis))))
    }

    /// The upstream of this name, if its configuration is still the same.
    fn cluster(&self, name: &str, upstream: &config::Upstream) -> Option<Arc<Cluster>> {
        (self.config.upstreams.get(name)? == upstream)
            .then(|| self.clusters.iter().find(|one| one.name == name).cloned())?
    }

    /// The auth of this name, if its configuration is still the same. An auth refers to upstreams by their position, so
    /// these must be the same as well.
    fn auth(&self, name: &str, auth: &config::Auth, config: &Config) -> Option<Arc<Auth>> {
        let is_same =
            self.config.auth.get(name)? == auth && self.config.upstreams.keys().eq(config.upstreams.keys());
        is_same.then(|| self.auths.get(name).cloned())?
    }

    /// Starts the background tasks: service discovery, breaker checks, refresh of token keys, changes of plugins, and eviction of unused
    /// quotas. They end when `stop` is cancelled or another snapshot takes the place of this one.
    pub(crate) fn spawn_background(
        self: &Arc<Self>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
        runtime: &Handle,
    ) {
        let (this, stop) = (Arc::clone(self), stop.clone());
        let run = async move {
            let background = async {
                tokio::join!(
                    upstream::follow(&this.clusters),
                    health::watch(&this.clusters),
                    breaker::watch(
                        &this.guards.breakers,
                        &this.clusters,
                        this.config.limits.connect.0
                    ),
                    futures::future::join_all(this.auths.values().map(|auth| auth.keep_keys_fresh())),
                    this.policies.follow_plugins(),
                    this.evict_idle(),
                )
            };
            tokio::select! {
                _ = background => {}
                () = stop.cancelled() => {}
                () = this.replaced.cancelled() => {}
            }
        };
        tasks.spawn_on(run, runtime);
    }

    async fn evict_idle(&self) {
        loop {
            tokio::time::sleep(Duration::from_mins(1)).await;
            self.policies.evict_idle();
            if let Some(rate) = &self.unmatched {
                rate.evict_idle();
            }
        }
    }

    /// Finds the instances of the upstreams that `previous` does not have.
    pub(crate) async fn resolve_new(&self, previous: &Self) {
        let is_new = |one: &&Arc<Cluster>| !previous.clusters.iter().any(|known| Arc::ptr_eq(known, one));
        futures::future::join_all(self.clusters.iter().filter(is_new).map(|one| one.resolve())).await;
    }

    /// Ends the background tasks, because another snapshot has taken the place of this one.
    pub(crate) fn replaced(&self) {
        self.replaced.cancel();
    }

    /// Waits until another snapshot has taken the place of this one.
    pub(crate) async fn until_replaced(&self) {
        self.replaced.cancelled().await;
    }

    /// Waits until tokens can be verified. Returns false if that is still not so after `timeout`.
    pub(crate) async fn wait_until_ready(&self, timeout: Duration) -> bool {
        let ready = async {
            while !self.ready() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(timeout, ready).await.is_ok()
    }

    /// Whether tokens can be verified.
    pub(crate) fn ready(&self) -> bool {
        self.auths.values().all(|auth| auth.ready())
    }
}

/// The recent requests of the route with this name in the previous snapshot, or none.
fn known_traffic(previous: Option<&Snapshot>, route: &str) -> Arc<Traffic> {
    let known = previous.and_then(|previous| previous.table.traffic(route));
    known.unwrap_or_default()
}
