//! Measures how many calls per second the servers can process if nothing else runs. With the number of calls of a checkout,
//! this gives the highest checkout rate that is possible on this machine. The ratio of the measured rate to this ceiling
//! can be compared between machines.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use e2e::{
    counts::{Call, Counts},
    stack::Status,
};
use futures::{StreamExt as _, future::try_join_all};
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
        QueueDeclareOptions, QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use mongodb::{
    Collection,
    bson::{Document, doc},
    options::{Acknowledgment, WriteConcern},
};
use sqlx::{PgPool, postgres::PgPoolOptions};

/// Number of concurrent clients.
const CLIENTS: u32 = 8;
/// How long each server is measured.
const TIME: Duration = Duration::from_secs(4);
/// Number of messages of a client that wait for their confirms at the same time. All clients together have about as many as
/// the consumer prefetches.
const IN_FLIGHT: usize = 8;
/// Name of the schema, collection and queue that are created for the measurement.
const NAME: &str = "souk_bench";
/// Number of statements of a transaction: begin, three writes and commit.
const STATEMENTS: f64 = 5.0;

/// Maximum number of calls per second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ceiling {
    statements: f64,
    updates: f64,
    messages: f64,
}

impl Ceiling {
    /// Returns the possible checkouts per second if a checkout consists only of `calls`.
    pub(crate) fn rate(&self, calls: &Counts) -> f64 {
        let seconds = calls.total(Call::PostgreSql) / self.statements
            + calls.total(Call::MongoDb) / self.updates
            + calls.total(Call::Amqp) / self.messages;
        seconds.recip()
    }
}

impl fmt::Display for Ceiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "maximum rates of the servers: {:.0} statements/s of PostgreSQL, {:.0} updates/s of MongoDB, {:.0} messages/s of RabbitMQ",
            self.statements, self.updates, self.messages
        )
    }
}

/// Measures the servers of a system, one after another.
pub(crate) async fn measure(postgres: &str, status: &Status) -> Result<Ceiling> {
    let mongodb = status.mongodb.as_deref().context("the system's MongoDB")?;
    let rabbitmq = status.rabbitmq.as_deref().context("the system's RabbitMQ")?;
    Ok(Ceiling {
        statements: statements(postgres).await.context("PostgreSQL's ceiling")?,
        updates: updates(mongodb).await.context("MongoDB's ceiling")?,
        messages: messages(rabbitmq).await.context("RabbitMQ's ceiling")?,
    })
}

/// Returns how many calls of `once` per second all `CLIENTS` tasks complete together. The argument of `once` is the number of
/// the task.
async fn rate<F: Future<Output = Result<()>>>(once: impl Fn(u32) -> F) -> Result<f64> {
    let (done, started) = (AtomicU64::new(0), Instant::now());
    let clients = (0..CLIENTS).map(|client| {
        let (done, once) = (&done, &once);
        async move {
            while started.elapsed() < TIME {
                once(client).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        }
    });
    try_join_all(clients).await?;
    let done = u32::try_from(done.into_inner())?;
    Ok(f64::from(done) / started.elapsed().as_secs_f64())
}

/// Measures short transactions like that of a saga reply: one row is updated and two are inserted.
async fn statements(url: &str) -> Result<f64> {
    let pool = PgPoolOptions::new().max_connections(CLIENTS).connect(url).await?;
    let drop = format!("DROP SCHEMA IF EXISTS {NAME} CASCADE");
    sqlx::raw_sql(sqlx::AssertSqlSafe(drop.clone()))
        .execute(&pool)
        .await?;
    let create = format!(
        "CREATE SCHEMA {NAME};
         CREATE TABLE {NAME}.sagas (id int PRIMARY KEY, epoch int NOT NULL, data text NOT NULL);
         INSERT INTO {NAME}.sagas SELECT client, 0, repeat('x', 500) FROM generate_series(0, {CLIENTS}) AS client;
         CREATE TABLE {NAME}.messages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL)"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&pool).await?;
    let rate = rate(|client| transaction(&pool, client)).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&pool).await?;
    Ok(rate? * STATEMENTS)
}

async fn transaction(pool: &PgPool, client: u32) -> Result<()> {
    let mut transaction = pool.begin().await?;
    sqlx::query("UPDATE souk_bench.sagas SET epoch = epoch + 1 WHERE id = $1")
        .bind(i32::try_from(client)?)
        .execute(&mut *transaction)
        .await?;
    for _ in 0..2 {
        sqlx::query("INSERT INTO souk_bench.messages (body) VALUES (repeat('x', 500))")
            .execute(&mut *transaction)
            .await?;
    }
    Ok(transaction.commit().await?)
}

/// Measures conditional, journaled updates of one document each.
async fn updates(url: &str) -> Result<f64> {
    let client = mongodb::Client::with_uri_str(url).await?;
    let database = client.default_database().context("the URL names no database")?;
    let documents: Collection<Document> = database.collection(NAME);
    documents.drop().await?;
    documents
        .insert_many((0..CLIENTS).map(|client| doc! {"_id": client, "left": 1_000_000_000_i64}))
        .await?;
    let durable = WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .journal(true)
        .build();
    let rate = rate(|client| {
        let enough = doc! {"_id": client, "left": {"$gte": 1}};
        let taken = documents.update_one(enough, doc! {"$inc": {"left": -1}});
        let taken = taken.write_concern(durable.clone());
        async { Ok(taken.await.map(drop)?) }
    })
    .await;
    documents.drop().await?;
    rate
}

/// Measures persistent messages through a quorum queue, which are confirmed, delivered and acknowledged.
async fn messages(url: &str) -> Result<f64> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let mut quorum = FieldTable::default();
    quorum.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let declare = channel.queue_declare(NAME.into(), QueueDeclareOptions::durable(), quorum);
    declare.await?;
    channel.basic_qos(50, BasicQosOptions::default()).await?;
    let mut deliveries = channel
        .basic_consume(
            NAME.into(),
            NAME.into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    let acknowledged = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&acknowledged);
    let consumer = tokio::spawn(async move {
        while let Some(Ok(delivery)) = deliveries.next().await {
            if delivery.ack(BasicAckOptions::default()).await.is_ok() {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let publishing = connection.create_channel().await?;
    publishing.confirm_select(ConfirmSelectOptions::default()).await?;
    let body = vec![b'x'; 500];
    let publish = async || {
        let persistent = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        let sent = publishing.basic_publish("".into(), NAME.into(), options, &body, persistent);
        sent.await?.await?;
        anyhow::Ok(())
    };
    let started = Instant::now();
    let published = rate(|_| async { try_join_all((0..IN_FLIGHT).map(|_| publish())).await.map(drop) }).await;
    let rate =
        f64::from(u32::try_from(acknowledged.load(Ordering::Relaxed))?) / started.elapsed().as_secs_f64();
    consumer.abort();
    channel
        .queue_delete(NAME.into(), QueueDeleteOptions::default())
        .await?;
    published.map(|_| rate)
}
