//! Wires the service together: shared state, routes, and background workers.

use std::sync::Arc;

use anyhow::Context as _;
use axum::{
    Router,
    extract::FromRef,
    routing::{get, post},
};
use contracts::saga::queues;
use messaging::{Broker, Namespace};
use secrecy::ExposeSecret as _;
use souk_http::{Admin, auth::Verifier, health::Health};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    database::Database,
    grpc,
    holds::{Commands, sweeper},
    openapi,
    outbox::relay::Relay,
    products::{
        create_product::create_product, delete_product::delete_product, get_product::get_product,
        image::get_image, list_categories::list_categories, list_products::list_products,
        update_product::update_product,
    },
    stock::{adjust_stock::adjust_stock, get_stock::get_stock, in_flight::InFlight},
};

/// Maximum number of saga commands that are handled at the same time.
const PREFETCH: u16 = 32;

/// The state shared by all handlers.
#[derive(Clone)]
pub struct App {
    /// The MongoDB database with its collections.
    pub db: Database,
    /// Verifies the access tokens of callers.
    pub verifier: Verifier,
    /// The stock adjustments that this process is handling at the moment.
    pub adjustments: InFlight,
}

impl App {
    /// Creates an application on `db` that accepts tokens signed with the keys of `verifier`.
    #[must_use]
    pub fn new(db: Database, verifier: Verifier) -> Self {
        Self {
            db,
            verifier,
            adjustments: InFlight::default(),
        }
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
        .route("/v1/products", get(list_products).post(create_product))
        .route(
            "/v1/products/{sku}",
            get(get_product).patch(update_product).delete(delete_product),
        )
        .route("/v1/products/{sku}/image.svg", get(get_image))
        .route("/v1/products/{sku}/stock", get(get_stock))
        .route("/v1/products/{sku}/stock-adjustments", post(adjust_stock))
        .route("/v1/categories", get(list_categories))
        .route("/openapi.json", get(openapi::get_openapi))
        .with_state(app)
}

/// Runs REST, gRPC, the command consumer, the sweeper and the event relay until `shutdown` is cancelled. Each finishes the
/// work it has started.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let db = Database::new(config.mongodb_url.expose_secret())
        .await?
        .with_events(config.kafka_brokers.is_some());
    let broker = Broker::connect(config.amqp_url.expose_secret(), "inventory", Namespace::default()).await?;
    let grpc_listener = TcpListener::bind(config.grpc_addr).await.with_context(|| {
        format!(
            "cannot listen on {}; is another process using it?",
            config.grpc_addr
        )
    })?;
    let acceptor = config
        .tls
        .as_ref()
        .map(souk_tls::Settings::acceptor)
        .transpose()?;
    let app = App::new(
        db.clone(),
        Verifier::with_tls(config.jwks_url, config.tls.as_ref())?,
    );
    let checked = db.clone();
    let health = Health::new().check("mongodb", move || {
        let db = checked.clone();
        async move { db.ping().await }
    });
    let admin = Admin {
        addr: config.admin_addr,
        health,
    };
    let commands = Arc::new(Commands::new(db.clone(), Arc::clone(&broker)));
    let sweeper = tokio::spawn(sweeper::run(db.clone(), shutdown.clone()));
    // The relay publishes events that requests and commands record, so it stops after them.
    let stop_relay = CancellationToken::new();
    let relay = config.kafka_brokers.map(|brokers| {
        let relay = Relay::new(db.clone(), &brokers, &events::Namespace::default());
        tokio::spawn(relay.run(stop_relay.clone()))
    });
    let consumer = tokio::spawn(messaging::consume(
        broker,
        queues::INVENTORY,
        PREFETCH,
        commands,
        shutdown.clone(),
    ));
    let grpc = tokio::spawn(grpc::serve(db, grpc_listener, acceptor, shutdown.clone()));
    tracing::info!(grpc_addr = %config.grpc_addr, "listening");
    let served = souk_http::serve(
        router(app),
        config.http_addr,
        config.tls.as_ref(),
        admin,
        shutdown.clone(),
    )
    .await;
    shutdown.cancel();
    grpc.await??;
    consumer.await?;
    sweeper.await?;
    stop_relay.cancel();
    if let Some(relay) = relay {
        relay.await?;
    }
    served
}
