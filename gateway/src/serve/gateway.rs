//! The state that requests use: [`Gateway`], which all cores share, and [`Core`], the connections of one core.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use arc_swap::{ArcSwap, Guard};
use tokio::{runtime::Handle, sync::Mutex};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{connections::Connections, history::History, labels};
use crate::{
    config::{Config, ConfigError, Limits},
    metrics::CONNECTIONS_REFUSED,
    report::Source,
    snapshot::Snapshot,
    upstream::{Labels, Pools},
};

/// How long a new configuration waits for the keys of a new issuer of tokens before it is refused.
const KEYS_TIMEOUT: Duration = Duration::from_secs(5);

/// The gateway: the current snapshot of its configuration, and what outlives a snapshot.
#[derive(Debug)]
pub struct Gateway {
    snapshot: ArcSwap<Snapshot>,
    pub(crate) connections: Arc<Connections>,
    /// Cancelled when shutdown begins: readiness fails and streams end.
    draining: CancellationToken,
    pub(crate) history: History,
    /// Labels of the containers that declare routes. Locked while the configuration changes, so that changes do not overlap.
    labels: Mutex<Vec<Labels>>,
    /// Set by [`Gateway::spawn_background`].
    background: OnceLock<Background>,
}

/// Where background tasks run, and the token that stops them.
#[derive(Debug)]
struct Background {
    runtime: Handle,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Gateway {
    /// Checks and compiles a configuration. Starts nothing.
    pub fn new(config: Config) -> anyhow::Result<Arc<Self>> {
        let draining = CancellationToken::new();
        let snapshot = Snapshot::compile(config, None, &draining)?;
        // Create the series now, so that it is exposed as 0 before the first refusal.
        CONNECTIONS_REFUSED.of([("reason", "address")]);
        Ok(Arc::new(Self {
            connections: Connections::new(snapshot.config.limits.connections_per_address),
            history: History::new(&snapshot.config.digest),
            snapshot: ArcSwap::from_pointee(snapshot),
            draining,
            labels: Mutex::default(),
            background: OnceLock::new(),
        }))
    }

    /// The snapshot that new requests use.
    pub(crate) fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Starts the background tasks on the current runtime. They end when `stop` is cancelled.
    pub fn spawn_background(self: &Arc<Self>, tasks: &TaskTracker, stop: &CancellationToken) {
        let background = self.background.get_or_init(|| Background {
            runtime: Handle::current(),
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        self.snapshot()
            .spawn_background(&background.tasks, &background.stop, &background.runtime);
        let (this, stop) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move { stop.run_until_cancelled(labels::follow(this)).await });
    }

    /// The labels of the containers that declare routes.
    pub(super) async fn labels(&self) -> Vec<Labels> {
        self.labels.lock().await.clone()
    }

    /// Replaces the routes that containers declare. Errors are in the log and in the history.
    pub(super) async fn set_labels(&self, labels: Vec<Labels>) {
        let mut known = self.labels.lock().await;
        *known = labels;
        let file = labels::without_labels(&self.snapshot().config);
        let outcome = self.replace(Ok(file), &known).await;
        let _ = self.record(Source::Labels, outcome);
    }

    /// Like [`Gateway::reload`], but on the runtime of the background tasks: the core of the caller serves requests in
    /// the meantime, and the change completes even if the caller stops waiting.
    pub(crate) async fn reload_in_background(
        self: &Arc<Self>,
        config: Result<Config, ConfigError>,
        source: Source,
    ) -> anyhow::Result<()> {
        let background = self.background.get().context("the gateway is starting")?;
        let this = Arc::clone(self);
        let reload = async move { this.reload(config, source).await };
        background.runtime.spawn(reload).await?
    }

    /// Replaces the configuration while requests are served. Each request uses one snapshot from its beginning to its
    /// end. Breakers, quotas and connections whose configuration is unchanged keep their state.
    ///
    /// If the configuration is invalid, the current one stays in force. The error says what is wrong with it.
    pub async fn reload(&self, config: Result<Config, ConfigError>, source: Source) -> anyhow::Result<()> {
        let labels = self.labels.lock().await;
        let outcome = self.replace(config, &labels).await;
        self.record(source, outcome)
    }

    /// Adds a change to the log and to the history.
    fn record(&self, source: Source, outcome: anyhow::Result<String>) -> anyhow::Result<()> {
        self.history.record(source, &outcome);
        match &outcome {
            Ok(digest) => tracing::info!(?source, digest, "the configuration was replaced"),
            Err(error) => {
                tracing::error!(?source, %error, "the configuration was refused; the current one stays in force");
            }
        }
        outcome.map(drop)
    }

    /// Replaces the configuration, and returns the digest of the new one.
    async fn replace(
        &self,
        config: Result<Config, ConfigError>,
        labels: &[Labels],
    ) -> anyhow::Result<String> {
        let config = labels::with_labels(config?, labels);
        let previous = Arc::clone(&self.snapshot());
        ensure!(
            previous.config.listeners == config.listeners,
            "`listeners` cannot change while the gateway runs; restart it"
        );
        ensure!(
            fixed(&previous.config.limits) == fixed(&config.limits),
            "only `body`, `deadline` and `connect` of `limits` can change while the gateway runs; restart it"
        );
        let next = Arc::new(Snapshot::compile(config, Some(&previous), &self.draining)?);
        next.resolve_new(&previous).await;
        if let Some(background) = self.background.get() {
            next.spawn_background(&background.tasks, &background.stop, &background.runtime);
        }
        if previous.ready() && !next.wait_until_ready(KEYS_TIMEOUT).await {
            next.replaced();
            anyhow::bail!("the keys of an issuer of tokens cannot be fetched");
        }
        let digest = next.config.digest.clone();
        self.snapshot.store(next);
        previous.replaced();
        Ok(digest)
    }

    /// Whether the gateway can verify tokens and is not shutting down.
    #[must_use]
    pub fn ready(&self) -> bool {
        !self.draining.is_cancelled() && self.snapshot().ready()
    }

    /// Begins the shutdown: [`Gateway::ready`] returns false from now on, and open streams end.
    pub fn drain(&self) {
        self.draining.cancel();
    }
}

/// The limits, with the defaults for those that a running gateway can change, so that only the others are compared.
fn fixed(limits: &Limits) -> Limits {
    let Limits {
        body,
        deadline,
        connect,
        ..
    } = Limits::default();
    Limits {
        body,
        deadline,
        connect,
        ..limits.clone()
    }
}

/// One core: the snapshot that it uses, with its own connections to the upstreams.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) gateway: Arc<Gateway>,
    view: ArcSwap<View>,
}

/// A snapshot, and the connections of one core to its upstreams.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) pools: Pools,
}

impl View {
    fn new(snapshot: Arc<Snapshot>, previous: Option<&Self>) -> Self {
        let connect = snapshot.config.limits.connect.0;
        let pools = Pools::new(&snapshot.clusters, connect, previous.map(|view| &view.pools));
        Self { snapshot, pools }
    }
}

impl Core {
    /// Creates the state of a core. Must be called on that core's runtime, which then drives the connections.
    pub(crate) fn new(gateway: Arc<Gateway>) -> Arc<Self> {
        let view = View::new(Arc::clone(&gateway.snapshot()), None);
        Arc::new(Self {
            view: ArcSwap::from_pointee(view),
            gateway,
        })
    }

    /// The current snapshot with this core's connections. Connections to unchanged upstreams outlive a reload.
    pub(crate) fn view(&self) -> Arc<View> {
        let (view, current) = (self.view.load(), self.gateway.snapshot());
        if !Arc::ptr_eq(&view.snapshot, &current) {
            let new = View::new(Arc::clone(&current), Some(&view));
            self.view.store(Arc::new(new));
        }
        self.view.load_full()
    }
}
