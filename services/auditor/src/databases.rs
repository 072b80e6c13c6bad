//! Connections to every database and to Kafka, and what is under way in them while others read.

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

/// Connections a database: an audit reads one thing after another.
const CONNECTIONS: u32 = 3;
/// How long to look for MongoDB's server. The driver tries twice, and stays below [`PATIENCE`].
const SELECTION: Duration = Duration::from_millis(1_500);
/// How long MongoDB may take for one answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long reading one topic may take: all of it when somebody waits for the whole audit, and what is new otherwise.
const TOPIC_PATIENCE: Duration = Duration::from_mins(1);
const NEWEST_PATIENCE: Duration = Duration::from_secs(2);

/// Connections to every database, and to Kafka if there is one.
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
    /// Prepares the connections. Nothing is connected yet, so this does not fail because a database is away.
    pub async fn new(config: &Config, namespace: &Namespace) -> anyhow::Result<Self> {
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
            kafka: config
                .kafka_brokers
                .as_ref()
                .map(|brokers| Reader::new(brokers, namespace.clone())),
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
            whole(async move {
                inventory.run_command(doc! {"ping": 1}).await?;
                Ok(())
            })
        })
    }

    /// Takes up documents of a collection of inventory, `fields` of them, one after the other.
    pub(crate) async fn fold<T: Send + 'static>(
        &self,
        collection: &str,
        filter: Document,
        fields: Document,
        mut all: T,
        take: impl Fn(&mut T, &Document) -> Result<(), Error> + Send + 'static,
    ) -> Result<T, Error> {
        let collection = self.inventory.collection::<Document>(collection);
        whole(async move {
            let mut documents = collection.find(filter).projection(fields).await?;
            while let Some(document) = documents.try_next().await? {
                take(&mut all, &document)?;
            }
            Ok(all)
        })
        .await
    }

    /// What each stock document that has told anything says of its events.
    pub(crate) async fn outboxes<T>(&self) -> Result<Vec<T>, Error>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let stock = self.inventory.collection("stock");
        let fields = doc! {"event_seq": 1, "events_told": 1, "events_dropped": 1};
        whole(async move {
            let told = doc! {"event_seq": {"$gt": 0}};
            Ok(stock.find(told).projection(fields).await?.try_collect().await?)
        })
        .await
    }

    /// The events of a topic that happened `since`, or all.
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
            .context("there is none")
            .map_err(Error::Kafka)?;
        let patience = if since.is_some() {
            NEWEST_PATIENCE
        } else {
            TOPIC_PATIENCE
        };
        kafka.read(topic, since, patience).await.map_err(Error::Kafka)
    }

    /// Whether Kafka is there; none where it is not meant to be.
    pub(crate) async fn kafka_answers(&self) -> Option<bool> {
        Some(self.kafka.as_ref()?.answers(NEWEST_PATIENCE).await)
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

    /// Whether no event waits to be told.
    pub(crate) async fn all_told(&self) -> Result<bool, Error> {
        for log in [&self.users, &self.orders, &self.payments] {
            let waits: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT id FROM domain_events WHERE id > (SELECT id FROM event_cursor))",
            )
            .fetch_one(log)
            .await?;
            if waits {
                return Ok(false);
            }
        }
        let stock = self.inventory.collection::<Document>("stock");
        let waiting = doc! {"pending_events.sequence": {"$gt": 0}};
        whole(async move { Ok(stock.find_one(waiting).await?.is_none()) }).await
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
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    match tokio::time::timeout(PATIENCE, tokio::spawn(work.in_current_span())).await {
        Ok(result) => result?,
        Err(_) => Err(Error::TimedOut),
    }
}
