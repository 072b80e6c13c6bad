//! The service put together: its state, all its routes on one screen, and its background work.

use std::sync::Arc;

use anyhow::Context as _;
use axum::{
    Json, Router,
    extract::FromRef,
    routing::{get, post},
};
use contracts::{events::PaymentEvent, saga::queues};
use events::Relay;
use messaging::{Broker, Namespace, outbox::Outbox};
use souk_config::{ExposeSecret as _, SecretString};
use souk_http::{Admin, auth::Verifier, database, health::Health, openapi::Bearer};
use sqlx::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use utoipa::OpenApi;

use crate::{
    Commands, RefundWorker, config::Config, housekeeping, methods, payment, provider::Provider, refunds,
    webhooks,
};

/// Connections to the database, for requests and commands.
const CONNECTIONS: u32 = 32;
/// Commands handled at the same time.
const PREFETCH: u16 = 32;

/// What handlers and workers share.
#[derive(Clone)]
pub struct App {
    /// The service's database.
    pub pool: PgPool,
    /// The outside provider.
    pub provider: Provider,
    /// Sends what was committed.
    pub outbox: Outbox,
    /// Of access tokens.
    pub verifier: Verifier,
    /// The provider signs its events with one of them.
    pub webhook_secrets: Arc<[SecretString]>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

impl FromRef<App> for Verifier {
    fn from_ref(app: &App) -> Self {
        app.verifier.clone()
    }
}

/// Every route.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/v1/payments", get(payment::list::list_payments))
        .route("/v1/payments/{id}", get(payment::get::get_payment))
        .route("/v1/payments/{id}/refunds", post(refunds::create::create_refund))
        .route("/v1/payment-methods", get(methods::list_payment_methods))
        .route("/v1/webhooks/psp", post(webhooks::receive::receive_webhook))
        .route("/openapi.json", get(|| async { Json(openapi()) }))
        .with_state(app)
}

/// Runs the API and the background work until `shutdown`; each finishes what it began.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let pool =
        database::pool(config.database_url.expose_secret(), CONNECTIONS).context("SOUK_DATABASE_URL")?;
    database::observe([("requests", &pool)]);
    let broker = Broker::connect(config.amqp_url.expose_secret(), "payments", Namespace::default()).await?;
    let app = App {
        outbox: Outbox::new(pool.clone(), Arc::clone(&broker)),
        provider: Provider::new(&config.psp_url, config.psp_api_key.clone())?,
        verifier: Verifier::new(config.jwks_url.clone()),
        webhook_secrets: config.psp_webhook_secrets.into(),
        pool,
    };
    let events = config
        .kafka_brokers
        .as_ref()
        .map(|brokers| Relay::new::<PaymentEvent>(app.pool.clone(), brokers, &events::Namespace::default()));
    let workers = Workers::start(&app, broker, events, &shutdown);
    let admin = Admin {
        addr: config.admin_addr,
        health: Health::new().postgres(&app.pool),
    };
    let served = souk_http::serve(router(app), config.http_addr, admin, shutdown.clone()).await;
    shutdown.cancel();
    workers.finish().await;
    served
}

/// The background work. The relays publish what the handlers write, so they stop last.
#[derive(Debug)]
pub struct Workers {
    handlers: TaskTracker,
    relays: TaskTracker,
    stop_relays: CancellationToken,
}

impl Workers {
    /// Starts everything that does not answer requests. The handlers stop with `shutdown`; the relays go on until
    /// [`Workers::finish`].
    #[must_use]
    pub fn start(
        app: &App,
        broker: Arc<Broker>,
        events: Option<Relay>,
        shutdown: &CancellationToken,
    ) -> Self {
        let workers = Self {
            handlers: TaskTracker::new(),
            relays: TaskTracker::new(),
            stop_relays: CancellationToken::new(),
        };
        let (relay, stop) = (app.outbox.clone(), workers.stop_relays.clone());
        workers.relays.spawn(async move { relay.run(stop).await });
        let events_are_told = events.is_some();
        if let Some(relay) = events {
            workers.relays.spawn(relay.run(workers.stop_relays.clone()));
        }
        let tidying = housekeeping::run(app.pool.clone(), events_are_told, shutdown.clone());
        workers.handlers.spawn(tidying);
        workers
            .handlers
            .spawn(RefundWorker::new(app.clone()).run(shutdown.clone()));
        workers.handlers.spawn(messaging::consume(
            broker,
            queues::PAYMENTS,
            PREFETCH,
            Arc::new(Commands::new(app.clone())),
            shutdown.clone(),
        ));
        workers
    }

    /// Waits for the handlers, and then until the relays have published what those wrote.
    pub async fn finish(self) {
        self.handlers.close();
        self.handlers.wait().await;
        self.stop_relays.cancel();
        self.relays.close();
        self.relays.wait().await;
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Souk payments", description = "Payments of orders, and refunds."),
    paths(
        payment::list::list_payments,
        payment::get::get_payment,
        refunds::create::create_refund,
        methods::list_payment_methods,
        webhooks::receive::receive_webhook,
    ),
    modifiers(&Bearer)
)]
struct ApiDoc;

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    ApiDoc::openapi()
}
