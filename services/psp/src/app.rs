//! Wires the service together: shared state, all routes, and the background workers.

use std::sync::Arc;

use anyhow::Context as _;
use axum::{
    Router, middleware,
    routing::{get, post},
};
use souk_config::{ExposeSecret as _, SecretString};
use souk_http::{Admin, database, health::Health};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{Deliverer, auth, balance, config::Config, housekeeping, intents, openapi, refunds};

/// State shared by all handlers.
#[derive(Debug, Clone)]
pub struct App {
    pub(crate) pool: PgPool,
    pub(crate) api_key: SecretString,
    /// Notified when an event has been written, so that the deliverer does not wait for its next poll.
    pub(crate) event_written: Arc<Notify>,
}

impl App {
    /// Creates the state for one merchant, whose requests must carry `api_key`.
    #[must_use]
    pub fn new(pool: PgPool, api_key: SecretString) -> Self {
        Self {
            pool,
            api_key,
            event_written: Arc::new(Notify::new()),
        }
    }
}

/// Routes every endpoint. All but `/openapi.json` require the merchant's API key.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/v1/payment_intents", post(intents::create_intent::create_intent))
        .route("/v1/payment_intents/{id}", get(intents::get_intent::get_intent))
        .route(
            "/v1/payment_intents/{id}/capture",
            post(intents::capture_intent::capture_intent),
        )
        .route(
            "/v1/payment_intents/{id}/cancel",
            post(intents::cancel_intent::cancel_intent),
        )
        .route("/v1/refunds", post(refunds::create_refund::create_refund))
        .route(
            "/v1/balance_transactions",
            get(balance::list_balance_transactions::list_balance_transactions),
        )
        .route_layer(middleware::from_fn_with_state(app.clone(), auth::require_key))
        .route("/openapi.json", get(openapi::get_openapi))
        .with_state(app)
}

/// Runs the API and the background workers until `shutdown` is cancelled.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let pool = database::pool(config.database_url.expose_secret(), 6).context("SOUK_DATABASE_URL")?;
    database::observe([("requests", &pool)]);
    let admin = Admin {
        addr: config.admin_addr,
        health: Health::new().postgres(&pool),
    };
    let housekeeping = tokio::spawn(housekeeping::run(pool.clone(), shutdown.clone()));
    let app = App::new(pool, config.api_key.clone());
    // The deliverer sends the events that requests write, so it stops only after the server has.
    let stop_deliverer = CancellationToken::new();
    let deliverer = tokio::spawn(Deliverer::new(&app, &config)?.run(stop_deliverer.clone()));
    let served = souk_http::serve(router(app), config.http_addr, None, admin, shutdown.clone()).await;
    shutdown.cancel();
    stop_deliverer.cancel();
    housekeeping.await.context("the housekeeping failed")?;
    deliverer.await.context("the webhook deliverer failed")?;
    served
}
