//! Wires the service together: shared state, routes, and background workers.

use anyhow::Context as _;
use axum::{
    Router,
    extract::FromRef,
    routing::{get, post},
};
use events::Namespace;
use souk_config::ExposeSecret as _;
use souk_http::{Admin, auth::Verifier, database, health::Health};
use sqlx::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::Config,
    consume, housekeeping,
    mail::{self, MailWorker, Sender},
    notices, openapi, sales,
};

/// The state shared by all handlers.
#[derive(Debug, Clone)]
pub struct App {
    /// Connection pool of the service's database.
    pub pool: PgPool,
    /// Verifies the access tokens of callers.
    pub verifier: Verifier,
}

impl FromRef<App> for Verifier {
    fn from_ref(app: &App) -> Self {
        app.verifier.clone()
    }
}

/// Builds the router with every route of the service.
pub fn router(app: App) -> Router {
    Router::new()
        .route(
            "/v1/notifications",
            get(notices::list_notifications::list_notifications),
        )
        .route(
            "/v1/notifications/read",
            post(notices::read_notifications::read_all_notifications),
        )
        .route(
            "/v1/notifications/{id}/read",
            post(notices::read_notifications::read_notification),
        )
        .route("/v1/admin/sales", get(sales::get_sales::get_sales))
        .route("/openapi.json", get(openapi::get_openapi))
        .with_state(app)
}

/// Runs the API and the background workers until `shutdown` is cancelled. Events are consumed only if Kafka is configured,
/// and mails are sent only if a mail server is configured.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let pool = database::pool(config.database_url.expose_secret(), 4).context("SOUK_DATABASE_URL")?;
    database::observe([("requests", &pool)]);
    let workers = TaskTracker::new();
    workers.spawn(housekeeping::run(pool.clone(), shutdown.clone()));
    workers.spawn(mail::watch(pool.clone(), shutdown.clone()));
    let tokens = config.mail_tokens()?;
    if let Some(url) = &config.smtp_url {
        let sender = Sender::new(url.expose_secret(), &config.mail_from, &config.shop_url, tokens)?;
        workers.spawn(MailWorker::new(pool.clone(), sender).run(shutdown.clone()));
    }
    if let Some(brokers) = config.kafka_brokers {
        let handler = consume::run(pool.clone(), brokers, Namespace::default(), shutdown.clone());
        workers.spawn(handler);
    }
    let admin = Admin {
        addr: config.admin_addr,
        health: Health::new().postgres(&pool),
    };
    let verifier = Verifier::with_tls(config.jwks_url, config.tls.as_ref())?;
    souk_http::serve(
        router(App { pool, verifier }),
        config.http_addr,
        config.tls.as_ref(),
        admin,
        shutdown,
    )
    .await?;
    workers.close();
    workers.wait().await;
    Ok(())
}
