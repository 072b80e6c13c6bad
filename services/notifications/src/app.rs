//! The service put together: its state, every route, and the workers.

use axum::{
    Json, Router,
    extract::FromRef,
    routing::{get, post},
};
use events::Namespace;
use souk_config::ExposeSecret;
use souk_http::{Admin, auth::Verifier, database, health::Health, openapi::Bearer};
use sqlx::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use utoipa::OpenApi;

use crate::{
    config::Config,
    consume, housekeeping,
    mail::{self, MailWorker, Sender},
    notices, sales,
};

/// What handlers share.
#[derive(Debug, Clone)]
pub struct App {
    /// The service's database.
    pub pool: PgPool,
    /// Of access tokens.
    pub verifier: Verifier,
}

impl FromRef<App> for Verifier {
    fn from_ref(app: &App) -> Self {
        app.verifier.clone()
    }
}

/// Every route.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/v1/notifications", get(notices::list::list_notifications))
        .route(
            "/v1/notifications/read",
            post(notices::read::read_all_notifications),
        )
        .route(
            "/v1/notifications/{id}/read",
            post(notices::read::read_notification),
        )
        .route("/v1/admin/sales", get(sales::get::get_sales))
        .route("/openapi.json", get(|| async { Json(openapi()) }))
        .with_state(app)
}

/// Runs the API and what works beside it until `shutdown`: the intake of events where there is a log, and the sending of
/// mails where there is a mail server.
pub async fn run(config: Config, pool: PgPool, shutdown: CancellationToken) -> anyhow::Result<()> {
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
        let intake = consume::run(pool.clone(), brokers, Namespace::default(), shutdown.clone());
        workers.spawn(intake);
    }
    let admin = Admin {
        addr: config.admin_addr,
        health: Health::new().postgres(&pool),
    };
    let verifier = Verifier::new(config.jwks_url);
    souk_http::serve(router(App { pool, verifier }), config.http_addr, admin, shutdown).await?;
    workers.close();
    workers.wait().await;
    Ok(())
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Souk notifications", description = "What shoppers are told, and how sales go."),
    paths(
        notices::list::list_notifications,
        notices::read::read_all_notifications,
        notices::read::read_notification,
        sales::get::get_sales,
    ),
    modifiers(&Bearer)
)]
struct ApiDoc;

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    ApiDoc::openapi()
}
