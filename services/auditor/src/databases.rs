//! Connections to every database, and what is under way in them while others read.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context as _;
use bson::{Document, doc};
use futures::TryStreamExt as _;
use mongodb::{Client, Database, options::ClientOptions};
use souk_config::{ExposeSecret as _, SecretString};
use souk_http::{database, health::Health};
use sqlx::PgPool;
use tracing::Instrument as _;

use crate::{Error, config::Config};

/// Connections a database: an audit reads one thing after another.
const CONNECTIONS: u32 = 3;
/// How long to look for MongoDB's server. The driver tries twice, and stays below [`PATIENCE`].
const SELECTION: Duration = Duration::from_millis(1_500);
/// How long MongoDB may take for one answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Connections to every database.
#[derive(Debug, Clone)]
pub struct Databases {
    pub(crate) users: PgPool,
    pub(crate) orders: PgPool,
    pub(crate) payments: PgPool,
    pub(crate) psp: PgPool,
    inventory: Database,
}

impl Databases {
    /// Prepares the connections. Nothing is connected yet, so this does not fail because a database is away.
    pub async fn new(config: &Config) -> anyhow::Result<Self> {
        let pool = |url: &SecretString, key: &'static str| {
            database::pool(url.expose_secret(), CONNECTIONS).context(key)
        };
        let mut options = ClientOptions::parse(config.mongodb_url.expose_secret())
            .await
            .context("SOUK_MONGODB_URL")?;
        options.app_name = Some("auditor".to_owned());
        options.server_selection_timeout = Some(SELECTION);
        options.connect_timeout = Some(SELECTION);
        options.max_pool_size = Some(CONNECTIONS);
        let inventory = Client::with_options(options)
            .context("SOUK_MONGODB_URL")?
            .default_database()
            .context("SOUK_MONGODB_URL names no database")?;
        Ok(Self {
            users: pool(&config.users_database_url, "SOUK_USERS_DATABASE_URL")?,
            orders: pool(&config.orders_database_url, "SOUK_ORDERS_DATABASE_URL")?,
            payments: pool(&config.payments_database_url, "SOUK_PAYMENTS_DATABASE_URL")?,
            psp: pool(&config.psp_database_url, "SOUK_PSP_DATABASE_URL")?,
            inventory,
        })
    }

    /// By whose they are.
    fn pools(&self) -> [(&'static str, &PgPool); 4] {
        [
            ("users", &self.users),
            ("orders", &self.orders),
            ("payments", &self.payments),
            ("psp", &self.psp),
        ]
    }

    /// Shows on `/metrics` how much of the pools is in use.
    pub(crate) fn observe(&self) {
        database::observe(self.pools());
    }

    /// Ready when every database answers.
    pub(crate) fn health(&self) -> Health {
        let postgres = |health: Health, (name, pool)| health.postgres_as(name, pool);
        let health = self.pools().into_iter().fold(Health::new(), postgres);
        let inventory = self.inventory.clone();
        health.check("inventory", move || {
            let inventory = inventory.clone();
            whole(async move { inventory.run_command(doc! {"ping": 1}).await.map(|_| ()) })
        })
    }

    /// The documents of a collection of inventory.
    pub(crate) async fn documents(&self, collection: &str, filter: Document) -> Result<Vec<Document>, Error> {
        let collection = self.inventory.collection(collection);
        whole(async move { collection.find(filter).await?.try_collect().await }).await
    }

    /// Whether nothing is under way: no live saga, no message to send, no refund without an answer.
    pub(crate) async fn at_rest(&self) -> Result<bool, Error> {
        let orders: bool = sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT FROM sagas WHERE status IN ('running', 'compensating'))
                AND NOT EXISTS (SELECT FROM outbox)",
        )
        .fetch_one(&self.orders)
        .await?;
        let payments: bool = sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT FROM outbox) AND NOT EXISTS (SELECT FROM refunds WHERE status = 'pending')",
        )
        .fetch_one(&self.payments)
        .await?;
        Ok(orders && payments)
    }

    /// The ids of orders and sagas that are under way, or have moved within that time. By the databases' clocks.
    pub(crate) async fn under_way(&self, within: Duration) -> Result<BTreeSet<String>, Error> {
        let orders: Vec<String> = sqlx::query_scalar(
            "WITH moved AS (SELECT now() - make_interval(secs => $1) AS after)
             SELECT id::text FROM orders, moved WHERE updated_at > after
             UNION SELECT unnest(ARRAY[id, order_id])::text FROM sagas, moved
                 WHERE status IN ('running', 'compensating') OR updated_at > after
             UNION SELECT unnest(ARRAY[aggregate_id, correlation_id])::text FROM outbox",
        )
        .bind(within.as_secs_f64())
        .fetch_all(&self.orders)
        .await?;
        let payments: Vec<String> = sqlx::query_scalar(
            "SELECT order_id::text FROM payments p WHERE updated_at > now() - make_interval(secs => $1)
                 OR EXISTS (SELECT FROM refunds r WHERE r.payment_id = p.id AND r.status = 'pending')
             UNION SELECT unnest(ARRAY[aggregate_id, correlation_id])::text FROM outbox",
        )
        .bind(within.as_secs_f64())
        .fetch_all(&self.payments)
        .await?;
        Ok(orders.into_iter().chain(payments).collect())
    }
}

/// Work of MongoDB's driver, whose futures must not be dropped half-way: it goes on by itself when the caller is gone or
/// has waited long enough.
async fn whole<T: Send + 'static>(
    work: impl Future<Output = mongodb::error::Result<T>> + Send + 'static,
) -> Result<T, Error> {
    match tokio::time::timeout(PATIENCE, tokio::spawn(work.in_current_span())).await {
        Ok(result) => Ok(result??),
        Err(_) => Err(Error::TimedOut),
    }
}
