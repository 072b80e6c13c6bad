//! The service put together: its state, all its routes on one screen, and its workers.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{
    Router,
    extract::FromRef,
    routing::{delete, get, post, put},
};
use contracts::{events::OrderEvent, saga::queues};
use events::Relay;
use messaging::{Broker, DEAD_LETTERS, Namespace, Outbox};
use souk_config::ExposeSecret as _;
use souk_http::{Admin, auth::Verifier, database, health::Health};
use sqlx::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    cart::{clear_cart::clear_cart, get_cart::get_cart, put_item::put_item, remove_item::remove_item},
    config::Config,
    dead_letters::{
        bury::Undertaker, delete_dead_letter::delete_dead_letter, list_dead_letters::list_dead_letters,
        redrive_dead_letter::redrive_dead_letter,
    },
    faults::{
        Faults, list_active_faults::list_active_faults, list_faults::list_faults, set_fault::set_fault,
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
    saga::{self, drive::Orchestrator},
};

/// Connections to the database: those of requests, those of the sagas, and those of live views, so that a rush of orders,
/// the checkouts that it starts and the people who watch them do not wait for each other.
const CONNECTIONS: u32 = 24;
const SAGA_CONNECTIONS: u32 = 12;
const FEED_CONNECTIONS: u32 = 4;
/// Between two looks for a database that is away at the start.
const RETRY: Duration = Duration::from_secs(1);
/// Messages in work at the same time.
const PREFETCH: u16 = 32;

/// What handlers work with.
#[derive(Debug, Clone)]
pub struct App {
    /// The orders database.
    pub pool: PgPool,
    /// Where messages leave by.
    pub outbox: Outbox,
    /// Where quotes come from.
    pub inventory: Inventory,
    /// What is broken on purpose.
    pub faults: Faults,
    /// Who follows which order.
    pub feed: Feed,
    /// Verifies access tokens.
    pub verifier: Verifier,
}

impl FromRef<App> for Verifier {
    fn from_ref(app: &App) -> Self {
        app.verifier.clone()
    }
}

/// Every route of the service.
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

/// Runs the API, the orchestrator and the relays until `shutdown`; each finishes what it began.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let url = config.database_url.expose_secret();
    let pool = database::pool(url, CONNECTIONS).context("SOUK_DATABASE_URL")?;
    let saga_pool = database::pool(url, SAGA_CONNECTIONS).context("SOUK_DATABASE_URL")?;
    let feed_pool = database::pool(url, FEED_CONNECTIONS).context("SOUK_DATABASE_URL")?;
    database::observe([("requests", &pool), ("sagas", &saga_pool), ("feeds", &feed_pool)]);
    let broker = Broker::connect(config.amqp_url.expose_secret(), "orders", Namespace::default()).await?;
    let outbox = Outbox::new(saga_pool.clone(), Arc::clone(&broker));
    let app = App {
        pool: pool.clone(),
        outbox: outbox.clone(),
        inventory: Inventory::new(&config.inventory_grpc_url).context("SOUK_INVENTORY_GRPC_URL")?,
        faults: Faults::new(pool.clone(), config.demo),
        feed: Feed::new(feed_pool, feed::Limits::default(), shutdown.clone()),
        verifier: Verifier::new(config.jwks_url),
    };
    if !check_sagas(&pool, &shutdown).await? {
        return Ok(());
    }
    let workers = TaskTracker::new();
    workers.spawn(app.feed.clone().run());
    workers.spawn(app.faults.clone().run(shutdown.clone()));
    workers.spawn(gauges::run(pool.clone(), shutdown.clone()));
    // The relay publishes what requests and sagas write, so it stops after them.
    let (relays, stop_relays) = (TaskTracker::new(), CancellationToken::new());
    if let Some(brokers) = &config.kafka_brokers {
        let relay = Relay::new::<OrderEvent>(pool.clone(), brokers, &events::Namespace::default());
        relays.spawn(relay.run(stop_relays.clone()));
    }
    let are_told = config.kafka_brokers.is_some();
    workers.spawn(housekeeping::run(pool.clone(), are_told, shutdown.clone()));
    let orchestrator = Orchestrator::new(saga_pool.clone(), outbox.clone(), app.faults.clone())
        .watching(Arc::clone(&broker));
    work(&workers, saga_pool, orchestrator, &outbox, &broker, &shutdown);
    // A broker that is away is no reason to refuse orders, so it is no condition.
    let admin = Admin {
        addr: config.admin_addr,
        health: Health::new().postgres(&pool),
    };
    let served = souk_http::serve(router(app), config.http_addr, admin, shutdown.clone()).await;
    shutdown.cancel();
    workers.close();
    workers.wait().await;
    stop_relays.cancel();
    relays.close();
    relays.wait().await;
    // What the last transactions left is published now rather than by another replica's next look.
    if let Err(error) = outbox.run_once().await {
        tracing::warn!(%error, "the outbox keeps what is left");
    }
    served
}

/// Refuses to go on with live sagas that this version does not know. Waits for a database that is away, and is false when
/// the process is told to stop meanwhile.
async fn check_sagas(pool: &PgPool, shutdown: &CancellationToken) -> anyhow::Result<bool> {
    loop {
        match pool.acquire().await {
            Ok(mut conn) => return saga::store::check_known(&mut conn).await.map(|()| true),
            Err(error) if database::is_away(&error) => tracing::warn!(%error, "waiting for the database"),
            Err(error) => return Err(error).context("SOUK_DATABASE_URL"),
        }
        if shutdown
            .run_until_cancelled(tokio::time::sleep(RETRY))
            .await
            .is_none()
        {
            return Ok(false);
        }
    }
}

/// Starts everything that does not answer requests.
fn work(
    workers: &TaskTracker,
    pool: PgPool,
    orchestrator: Orchestrator,
    outbox: &Outbox,
    broker: &Arc<Broker>,
    shutdown: &CancellationToken,
) {
    let replies = Arc::new(orchestrator.clone());
    let (relay, token) = (outbox.clone(), shutdown.clone());
    workers.spawn(async move { relay.run(token).await });
    workers.spawn(orchestrator.run_timers(shutdown.clone()));
    workers.spawn(messaging::consume(
        Arc::clone(broker),
        queues::ORDERS,
        PREFETCH,
        replies,
        shutdown.clone(),
    ));
    let undertaker = Arc::new(Undertaker::new(pool));
    workers.spawn(messaging::consume(
        Arc::clone(broker),
        DEAD_LETTERS,
        PREFETCH,
        undertaker,
        shutdown.clone(),
    ));
}
