//! Wires the service together: shared state, routes, and the periodic audit.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::FromRef, routing::get};
use events::Namespace;
use souk_http::{Admin, auth::Verifier};
use tokio::{sync::Mutex, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    Databases, Error,
    audit::{self, Report, get_audit::get_audit},
    config::Config,
    openapi,
    outboxes::list_outboxes::list_outboxes,
    watch::{self, Violations},
};

/// A report younger than this is returned again instead of running another audit.
const MAX_AGE: Duration = Duration::from_secs(5);
/// How long a caller waits for an audit. It must stay below the gateway's deadline of 10 s.
const AUDIT_TIMEOUT: Duration = Duration::from_secs(8);

/// The state shared by all handlers.
#[derive(Debug, Clone)]
pub struct App {
    /// Connections to every audited database and to Kafka.
    pub databases: Databases,
    /// Verifies the access tokens of callers.
    pub verifier: Verifier,
    /// Results of the last audit, exposed on `/metrics`.
    pub violations: Violations,
    latest: Arc<Mutex<Option<(Instant, Report)>>>,
}

impl App {
    /// Creates an auditor of `databases` that accepts tokens signed with the keys of `verifier`.
    #[must_use]
    pub fn new(databases: Databases, verifier: Verifier) -> Self {
        Self {
            databases,
            verifier,
            violations: Violations::default(),
            latest: Arc::default(),
        }
    }

    /// Returns a report that is at most 5 s old. Only one audit runs at a time, and concurrent callers share its result.
    pub(crate) async fn audit(&self) -> Result<Report, Error> {
        let this = self.clone();
        let audit = async move {
            let mut latest = this.latest.lock().await;
            if let Some((at, report)) = latest.as_ref()
                && at.elapsed() < MAX_AGE
            {
                return Ok(report.clone());
            }
            let report = audit::now(&this.databases).await?;
            this.violations.set(&report);
            *latest = Some((Instant::now(), report.clone()));
            Ok(report)
        };
        let audit = tokio::time::timeout(AUDIT_TIMEOUT, audit);
        souk_http::detached(audit).await.unwrap_or(Err(Error::TimedOut))
    }
}

impl FromRef<App> for Verifier {
    fn from_ref(app: &App) -> Self {
        app.verifier.clone()
    }
}

/// Builds the router with every route of the service.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/v1/admin/audit", get(get_audit))
        .route("/v1/admin/outboxes", get(list_outboxes))
        .route("/openapi.json", get(openapi::get_openapi))
        .with_state(app)
}

/// Serves the API and runs an audit every minute until `shutdown` is cancelled.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let databases = Databases::new(&config, &Namespace::default()).await?;
    databases.observe();
    let app = App::new(
        databases,
        Verifier::with_tls(config.jwks_url, config.tls.as_ref())?,
    );
    app.violations.register();
    let admin = Admin {
        addr: config.admin_addr,
        health: app.databases.health(),
    };
    let watch = tokio::spawn(watch::run(app.clone(), shutdown.clone()));
    let served = souk_http::serve(
        router(app),
        config.http_addr,
        config.tls.as_ref(),
        admin,
        shutdown.clone(),
    )
    .await;
    shutdown.cancel();
    watch.await?;
    served
}
