//! Wires the service together: shared state, all routes, and the background workers.

use std::sync::Arc;

use anyhow::Context as _;
use axum::{
    Router,
    extract::FromRef,
    routing::{get, post},
};
use contracts::{events::PaymentEvent, saga::queues};
use events::Relay;
use messaging::{Broker, Namespace, outbox::Outbox};
use souk_config::{ExposeSecret as _, SecretString};
use souk_http::{Admin, auth::Verifier, database, health::Health};
use sqlx::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Commands, RefundWorker, config::Config, housekeeping, openapi, payment, payment_methods,
    provider::Provider, refunds, webhooks,
};

/// Number of database connections, shared by requests and commands.
const CONNECTIONS: u32 = 12;
/// Maximum number of commands that this process handles concurrently.
const PREFETCH: u16 = 32;

/// State shared by handlers and workers.
#[derive(Clone)]
pub struct App {
    /// Connection pool of the service's database.
    pub pool: PgPool,
    /// Client for the external payment provider.
    pub provider: Provider,
    /// Publishes committed replies and notices to RabbitMQ.
    pub outbox: Outbox,
    /// Verifies the access tokens of requests.
    pub verifier: Verifier,
    /// Secrets for the provider's webhooks; a signature with any of them is accepted.
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

/// Returns the router with all routes of the service.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/v1/payments", get(payment::list_payments::list_payments))
        .route("/v1/payments/{id}", get(payment::get_payment::get_payment))
        .route(
            "/v1/payments/{id}/refunds",
            post(refunds::create_refund::create_refund),
        )
        .route(
            "/v1/payment-methods",
            get(payment_methods::list_payment_methods::list_payment_methods),
        )
        .route(
            "/v1/webhooks/psp",
            post(webhooks::receive_webhook::receive_webhook),
        )
        .route("/openapi.json", get(openapi::get_openapi))
        .with_state(app)
}

/// Runs the API and the background workers until `shutdown`. Requests and commands in progress are completed first.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let pool =
        database::pool(config.database_url.expose_secret(), CONNECTIONS).context("SOUK_DATABASE_URL")?;
    database::observe([("requests", &pool)]);
    let broker = Broker::connect(config.amqp_url.expose_secret(), "payments", Namespace::default()).await?;
    let app = App {
        outbox: Outbox::new(pool.clone(), Arc::clone(&broker)),
        provider: Provider::new(&config.psp_url, config.psp_api_key.clone())?,
        verifier: Verifier::with_tls(config.jwks_url.clone(), config.tls.as_ref())?,
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
    let served = souk_http::serve(
        router(app),
        config.http_addr,
        config.tls.as_ref(),
        admin,
        shutdown.clone(),
    )
    .await;
    shutdown.cancel();
    workers.finish().await;
    served
}

/// Running background workers. The relays publish what the handlers write, so they stop after the handlers.
#[derive(Debug)]
pub struct Workers {
    handlers: TaskTracker,
    relays: TaskTracker,
    stop_relays: CancellationToken,
}

impl Workers {
    /// Starts all background workers. The handlers stop at `shutdown`; the relays run until [`Workers::finish`]. Without an
    /// `events` relay, no domain events are published.
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
        let publishes_events = events.is_some();
        if let Some(relay) = events {
            workers.relays.spawn(relay.run(workers.stop_relays.clone()));
        }
        let housekeeping = housekeeping::run(app.pool.clone(), publishes_events, shutdown.clone());
        workers.handlers.spawn(housekeeping);
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

    /// Waits until the handlers have stopped, then until the relays have published everything they wrote.
    pub async fn finish(self) {
        self.handlers.close();
        self.handlers.wait().await;
        self.stop_relays.cancel();
        self.relays.close();
        self.relays.wait().await;
    }
}
