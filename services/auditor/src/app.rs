//! The service put together: its state, all its routes on one screen, and the audit that runs by itself.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::FromRef, routing::get};
use events::Namespace;
use souk_http::{Admin, auth::Verifier};
use tokio::{sync::Mutex, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    Databases, Error,
    audit::{self, Report},
    config::Config,
    get_audit::get_audit,
    list_outboxes::list_outboxes,
    openapi,
    watch::{self, Violations},
};

/// A result that is younger is as good as a new one.
const FRESH: Duration = Duration::from_secs(5);
/// How long a caller waits for an audit; the gateway's deadline is 10 s.
const PATIENCE: Duration = Duration::from_secs(8);

/// What handlers work with.
#[derive(Debug, Clone)]
pub struct App {
    /// What is audited.
    pub databases: Databases,
    /// Verifies access tokens.
    pub verifier: Verifier,
    /// What the last audit found, for `/metrics`.
    pub violations: Violations,
    latest: Arc<Mutex<Option<(Instant, Report)>>>,
}

impl App {
    /// An auditor of `databases` that trusts the keys of `verifier`.
    #[must_use]
    pub fn new(databases: Databases, verifier: Verifier) -> Self {
        Self {
            databases,
            verifier,
            violations: Violations::default(),
            latest: Arc::default(),
        }
    }

    /// A fresh report. One audit runs at a time, and who asked meanwhile is given its result.
    pub(crate) async fn audit(&self) -> Result<Report, Error> {
        let this = self.clone();
        let audit = async move {
            let mut latest = this.latest.lock().await;
            if let Some((at, report)) = latest.as_ref()
                && at.elapsed() < FRESH
            {
                return Ok(report.clone());
            }
            let report = audit::now(&this.databases).await?;
            this.violations.set(&report);
            *latest = Some((Instant::now(), report.clone()));
            Ok(report)
        };
        let in_time = tokio::time::timeout(PATIENCE, audit);
        souk_http::detached(in_time).await.unwrap_or(Err(Error::TimedOut))
    }
}

impl FromRef<App> for Verifier {
    fn from_ref(app: &App) -> Self {
        app.verifier.clone()
    }
}

/// Every route of the service.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/v1/admin/audit", get(get_audit))
        .route("/v1/admin/outboxes", get(list_outboxes))
        .route("/openapi.json", get(openapi::get_openapi))
        .with_state(app)
}

/// Runs the API and an audit every minute until `shutdown`.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let databases = Databases::new(&config, &Namespace::default()).await?;
    databases.observe();
    let app = App::new(databases, Verifier::new(config.jwks_url));
    app.violations.register();
    let admin = Admin {
        addr: config.admin_addr,
        health: app.databases.health(),
    };
    let watch = tokio::spawn(watch::run(app.clone(), shutdown.clone()));
    let served = souk_http::serve(router(app), config.http_addr, admin, shutdown.clone()).await;
    shutdown.cancel();
    watch.await?;
    served
}
