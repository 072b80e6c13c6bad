//! Connections to every database and to Kafka, and queries for the work that is in progress in them.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context as _;
use bson::{Document, doc};
use chrono::{DateTime, Utc};
use contracts::events::Envelope;
use events::{Excerpt, Namespace, Reader};
use futures::TryStreamExt as _;
use mongodb::{Client, Database, options::ClientOptions};
use serde::de::DeserializeOwned;
use souk_config::{ExposeSecret as _, SecretString};
use souk_http::{database, health::Health};
use sqlx::PgPool;
use tracing::Instrument as _;

use crate::{Error, config::Config};

/// Maximum connections per database. An audit runs its queries one after another, so it needs few.
const CONNECTIONS: u32 = 3;
/// Timeout for finding a MongoDB server. The driver tries twice, so twice this must stay below [`MONGODB_TIMEOUT`].
const SERVER_SELECTION_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Timeout for one query to MongoDB.
const MONGODB_TIMEOUT: Duration = Duration::from_secs(4);
/// Timeout for reading a whole topic, which only a complete audit does.
const TOPIC_READ_TIMEOUT: Duration = Duration::from_mins(1);
/// Timeout for reading a topic's recent events, and for checking whether Kafka responds.
const RECENT_READ_TIMEOUT: Duration = Duration::from_secs(2);

/// Connections to every database, and to Kafka if it is configured.
#[derive(Debug, Clone)]
pub struct Databases {
    pub(crate) users: PgPool,
    pub(crate) orders: PgPool,
    pub(crate) payments: PgPool,
    pub(crate) psp: PgPool,
    inventory: Database,
    kafka: Option<Reader>,
}

impl Databases {
    /// Prepares the connections, which are opened in the background, so this succeeds even while a database is down. Fails on
    /// an invalid URL.
    pub async fn new(config: &Config, namespace: &Namespace) -> anyhow::Result<Self> {
        let pool = |url: &SecretString, key: &'static str| {
            database::pool(url.expose_secret(), CONNECTIONS).context(key)
        };
        let mut options = ClientOptions::parse(config.mongodb_url.expose_secret())
            .await
            .context("SOUK_MONGODB_URL")?;
        options.app_name = Some("auditor".to_owned());
        options.server_selection_timeout = Some(SERVER_SELECTION_TIMEOUT);
        options.connect_timeout = Some(SERVER_SELECTION_TIMEOUT);
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
            kafka: config
                .kafka_brokers
                .as_ref()
                .map(|brokers| Reader::new(brokers, namespace.clone())),
        })
    }

    /// The PostgreSQL pools with the names of their services.
    fn pools(&self) -> [(&'static str, &PgPool); 4] {
        [
            ("users", &self.users),
            ("orders", &self.orders),
            ("payments", &self.payments),
            ("psp", &self.psp),
        ]
    }

    /// Exposes the usage of the connection pools on `/metrics`.
    pub(crate) fn observe(&self) {
        database::observe(self.pools());
    }

    /// Health checks that report ready while every database responds.
    pub(crate) fn health(&self) -> Health {
        let postgres = |health: Health, (name, pool)| health.postgres_as(name, pool);
        let health = self.pools().into_iter().fold(Health::new(), postgres);
        let inventory = self.inventory.clone();
        health.check("inventory", move || {
            let inventory = inventory.clone();
            run_to_completion(async move {
                inventory.run_command(doc! {"ping": 1}).await?;
                Ok(())
            })
        })
    }

    /// Folds the documents of an inventory collection that match `filter` into `all`, reading only `fields` of each.
    pub(crate) async fn fold<T: Send + 'static>(
        &self,
        collection: &str,
        filter: Document,
        fields: Document,
        mut all: T,
        take: impl Fn(&mut T, &Document) -> Result<(), Error> + Send + 'static,
    ) -> Result<T, Error> {
        let collection = self.inventory.collection::<Document>(collection);
        run_to_completion(async move {
            let mut documents = collection.find(filter).projection(fields).await?;
            while let Some(document) = documents.try_next().await? {
                take(&mut all, &document)?;
            }
            Ok(all)
        })
        .await
    }

    /// Reads the event counters of every stock document that has recorded an event.
    pub(crate) async fn stock_outboxes<T>(&self) -> Result<Vec<T>, Error>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let stock = self.inventory.collection("stock");
        let fields = doc! {"event_seq": 1, "events_told": 1, "events_dropped": 1};
        run_to_completion(async move {
            let has_events = doc! {"event_seq": {"$gt": 0}};
            let documents = stock.find(has_events).projection(fields).await?;
            Ok(documents.try_collect().await?)
        })
        .await
    }

    /// Reads the events of a topic that occurred at or after `since`, or all of them.
    pub(crate) async fn read_topic<T>(
        &self,
        topic: &str,
        since: Option<DateTime<Utc>>,
    ) -> Result<Excerpt<T>, Error>
    where
        T: Default + Extend<Envelope> + Send + 'static,
    {
        let kafka = self
            .kafka
            .as_ref()
            .context("no Kafka is configured")
            .map_err(Error::Kafka)?;
        let timeout = if since.is_some() {
            RECENT_READ_TIMEOUT
        } else {
            TOPIC_READ_TIMEOUT
        };
        kafka.read(topic, since, timeout).await.map_err(Error::Kafka)
    }

    /// Whether Kafka responds, or `None` if it is not configured.
    pub(crate) async fn kafka_answers(&self) -> Option<bool> {
        Some(self.kafka.as_ref()?.is_reachable(RECENT_READ_TIMEOUT).await)
    }

    /// Whether no work is in progress: no live saga, no unsent message, no pending refund.
    pub(crate) async fn is_idle(&self) -> Result<bool, Error> {
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

    /// Whether every recorded event has been published.
    pub(crate) async fn all_events_published(&self) -> Result<bool, Error> {
        for log in [&self.users, &self.orders, &self.payments] {
            let is_pending: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT id FROM domain_events WHERE id > (SELECT id FROM event_cursor))",
            )
            .fetch_one(log)
            .await?;
            if is_pending {
                return Ok(false);
            }
        }
        let stock = self.inventory.collection::<Document>("stock");
        let waiting = doc! {"pending_events.sequence": {"$gt": 0}};
        run_to_completion(async move { Ok(stock.find_one(waiting).await?.is_none()) }).await
    }

    /// The ids of orders and sagas that are in progress or changed within that time, by the databases' clocks.
    pub(crate) async fn in_progress(&self, within: Duration) -> Result<BTreeSet<String>, Error> {
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

/// Runs MongoDB work in a task of its own, because the driver's futures must not be dropped half-way. The task continues
/// when the caller disconnects or the timeout expires.
async fn run_to_completion<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    match tokio::time::timeout(MONGODB_TIMEOUT, tokio::spawn(work.in_current_span())).await {
        Ok(result) => result?,
        Err(_) => Err(Error::TimedOut),
    }
}
