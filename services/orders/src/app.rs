//! Wires the service together: shared state, all routes, and the background workers.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{
    Router,
    extract::FromRef,
    routing::{delete, get, post, put},
};
use contracts::{events::OrderEvent, saga::queues};
use events::Relay;
use messaging::{Broker, DEAD_LETTERS, Handler, Namespace, Outbox};
use souk_config::ExposeSecret as _;
use souk_http::{Admin, auth::Verifier, database, health::Health};
use sqlx::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    cart::{clear_cart::clear_cart, get_cart::get_cart, put_item::put_item, remove_item::remove_item},
    config::Config,
    dead_letters::{
        consumer::DeadLetterConsumer, delete_dead_letter::delete_dead_letter,
        list_dead_letters::list_dead_letters, redrive_dead_letter::redrive_dead_letter,
    },
    faults::{
        Faults, Quotes, Replies, list_active_faults::list_active_faults, list_faults::list_faults,
        set_fault::set_fault,
    },
    gauges, housekeeping,
    inventory::Inventory,
    live::{Feed, feed, stream_order_events::stream_order_events},
    openapi,
    operators::{
        get_metrics_summary::get_metrics_summary,
        get_saga::get_any_saga,
        list_sagas::list_sagas,
        steer_saga::{compensate_saga, resolve_saga, retry_saga},
    },
    orders::{
        cancel_order::cancel_order, deliver_order::deliver_order, get_order::get_order, get_saga::get_saga,
        list_orders::list_orders, place_order::place_order, ship_order::ship_order,
    },
    returns::{confirm_receipt::confirm_receipt, create_return::create_return, refuse_return::refuse_return},
    saga::{
        self,
        dispatch::{Dispatcher, SendOnce},
        orchestrator::Orchestrator,
    },
};

/// Number of database connections for requests. Sagas and live views have their own pools, so that a burst of orders,
/// the checkouts that it starts, and the clients that follow them do not wait for each other. The number is the same as
/// that of the calls that the gateway lets through on one route at a time.
const CONNECTIONS: u32 = 16;
/// Number of database connections for moving sagas and publishing messages.
const SAGA_CONNECTIONS: u32 = 6;
/// Number of database connections for live views.
const FEED_CONNECTIONS: u32 = 4;
/// Interval between two attempts to connect to the database at startup.
const STARTUP_RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum number of messages of one queue that this process handles concurrently.
const PREFETCH: u16 = 32;

/// State shared by all request handlers.
#[derive(Debug, Clone)]
pub struct App {
    /// Connection pool of the service's database, for requests.
    pub pool: PgPool,
    /// Publishes the messages that transactions have written to the outbox table.
    pub outbox: Outbox,
    /// Decides how many copies of a command are written to the outbox; only a fault switch makes it other than one.
    pub dispatcher: Arc<dyn Dispatcher>,
    /// Gets product names and prices from inventory.
    pub quotes: Quotes,
    /// The fault switches, which exist in demo mode only.
    pub faults: Faults,
    /// Wakes the streams of order events when there are new ones.
    pub feed: Feed,
    /// Verifies the access token of each request.
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
        .route("/v1/cart", get(get_cart).delete(clear_cart))
        .route("/v1/cart/items/{sku}", put(put_item).delete(remove_item))
        .route("/v1/orders", get(list_orders).post(place_order))
        .route("/v1/orders/{id}", get(get_order))
        .route("/v1/orders/{id}/saga", get(get_saga))
        .route("/v1/orders/{id}/events", get(stream_order_events))
        .route("/v1/orders/{id}/cancel", post(cancel_order))
        .route("/v1/orders/{id}/shipments", post(ship_order))
        .route("/v1/orders/{id}/deliveries", post(deliver_order))
        .route("/v1/orders/{id}/returns", post(create_return))
        .route(
            "/v1/orders/{id}/returns/{return_id}/receipt",
            post(confirm_receipt),
        )
        .route("/v1/orders/{id}/returns/{return_id}/refusal", post(refuse_return))
        .route("/v1/admin/sagas", get(list_sagas))
        .route("/v1/admin/sagas/{id}", get(get_any_saga))
        .route("/v1/admin/sagas/{id}/retry", post(retry_saga))
        .route("/v1/admin/sagas/{id}/compensate", post(compensate_saga))
        .route("/v1/admin/sagas/{id}/resolve", post(resolve_saga))
        .route("/v1/admin/dead-letters", get(list_dead_letters))
        .route("/v1/admin/dead-letters/{id}", delete(delete_dead_letter))
        .route("/v1/admin/dead-letters/{id}/redrive", post(redrive_dead_letter))
        .route("/v1/admin/metrics-summary", get(get_metrics_summary))
        .route("/v1/admin/faults", get(list_faults).put(set_fault))
        .route("/v1/faults", get(list_active_faults))
        .route("/openapi.json", get(openapi::get_openapi))
        .with_state(app)
}

/// Runs the API, the orchestrator and the relays until `shutdown`. Each of them finishes its work in progress.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let url = config.database_url.expose_secret();
    let pool = database::pool_with_generic_plans(url, CONNECTIONS).context("SOUK_DATABASE_URL")?;
    let saga_pool = database::pool_with_generic_plans(url, SAGA_CONNECTIONS).context("SOUK_DATABASE_URL")?;
    let feed_pool = database::pool_with_generic_plans(url, FEED_CONNECTIONS).context("SOUK_DATABASE_URL")?;
    database::observe([("requests", &pool), ("sagas", &saga_pool), ("feeds", &feed_pool)]);
    let broker = Broker::connect(config.amqp_url.expose_secret(), "orders", Namespace::default()).await?;
    let outbox = Outbox::new(saga_pool.clone(), Arc::clone(&broker));
    let faults = Faults::new(pool.clone(), config.demo);
    let dispatcher: Arc<dyn Dispatcher> = if config.demo {
        Arc::new(faults.clone())
    } else {
        Arc::new(SendOnce)
    };
    let inventory = Inventory::with_tls(&config.inventory_grpc_url, config.tls.as_ref())
        .context("SOUK_INVENTORY_GRPC_URL")?;
    let app = App {
        pool: pool.clone(),
        outbox: outbox.clone(),
        dispatcher: Arc::clone(&dispatcher),
        quotes: Quotes::new(inventory, faults.clone()),
        faults: faults.clone(),
        feed: Feed::new(feed_pool, feed::Limits::default(), shutdown.clone()),
        verifier: Verifier::with_tls(config.jwks_url, config.tls.as_ref())?,
    };
    if !check_sagas(&pool, &shutdown).await? {
        return Ok(());
    }
    let workers = TaskTracker::new();
    workers.spawn(app.feed.clone().run());
    workers.spawn(faults.clone().run(shutdown.clone()));
    workers.spawn(gauges::run(pool.clone(), shutdown.clone()));
    // The relay publishes the events that requests and sagas write, so it stops after them.
    let (relays, stop_relays) = (TaskTracker::new(), CancellationToken::new());
    if let Some(brokers) = &config.kafka_brokers {
        let relay = Relay::new::<OrderEvent>(pool.clone(), brokers, &events::Namespace::default());
        relays.spawn(relay.run(stop_relays.clone()));
    }
    let publishes_events = config.kafka_brokers.is_some();
    workers.spawn(housekeeping::run(
        pool.clone(),
        publishes_events,
        shutdown.clone(),
    ));
    let orchestrator = Orchestrator::new(saga_pool.clone(), outbox.clone(), Arc::clone(&dispatcher))
        .watching(Arc::clone(&broker));
    workers.spawn(orchestrator.clone().run_timers(shutdown.clone()));
    let (publisher, token) = (outbox.clone(), shutdown.clone());
    workers.spawn(async move { publisher.run(token).await });
    let replies = Arc::new(Replies::new(orchestrator, faults));
    workers.spawn(consume(&broker, queues::ORDERS, replies, &shutdown));
    let dead_letters = Arc::new(DeadLetterConsumer::new(saga_pool, dispatcher));
    workers.spawn(consume(&broker, DEAD_LETTERS, dead_letters, &shutdown));
    // Orders can be placed while the broker is unavailable, so readiness does not depend on it.
    let admin = Admin {
        addr: config.admin_addr,
        health: Health::new().postgres(&pool),
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
    workers.close();
    workers.wait().await;
    stop_relays.cancel();
    relays.close();
    relays.wait().await;
    // Publish the messages of the last transactions now. Otherwise they wait until another replica polls the outbox.
    if let Err(error) = outbox.run_once().await {
        tracing::warn!(%error, "publishing failed; another replica will publish the remaining messages");
    }
    served
}

/// Fails if there are active sagas that this version does not know. Waits while the database is unavailable, and returns
/// false if the process is stopped meanwhile.
async fn check_sagas(pool: &PgPool, shutdown: &CancellationToken) -> anyhow::Result<bool> {
    loop {
        match pool.acquire().await {
            Ok(mut conn) => return saga::state::check_known(&mut conn).await.map(|()| true),
            Err(error) if database::is_unavailable(&error) => {
                tracing::warn!(%error, "connecting to the database failed; will retry");
            }
            Err(error) => return Err(error).context("SOUK_DATABASE_URL"),
        }
        if shutdown
            .run_until_cancelled(tokio::time::sleep(STARTUP_RETRY_INTERVAL))
            .await
            .is_none()
        {
            return Ok(false);
        }
    }
}

/// Consumes a queue with this service's prefetch until `shutdown`.
fn consume<H: Handler>(
    broker: &Arc<Broker>,
    queue: &'static str,
    handler: Arc<H>,
    shutdown: &CancellationToken,
) -> impl Future<Output = ()> + Send + use<H> {
    messaging::consume(Arc::clone(broker), queue, PREFETCH, handler, shutdown.clone())
}
