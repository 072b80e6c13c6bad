//! The outbox: messages are rows of the transaction that causes them, and are published after its commit (Transactional
//! Outbox, Richardson). A row is deleted when the broker has confirmed it; what a crash left is published by the next poll
//! of any replica.
//!
//! The table lives in each service's own database, so its SQL is checked when it runs, not when it is compiled:
//!
//! ```sql
//! CREATE TABLE outbox (
//!     id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
//!     message_id     uuid NOT NULL,
//!     aggregate_id   uuid NOT NULL,
//!     kind           text NOT NULL,
//!     queue          text NOT NULL,
//!     correlation_id uuid NOT NULL,
//!     reply_to       text,
//!     body           jsonb NOT NULL,
//!     traceparent    text,
//!     tracestate     text,
//!     created_at     timestamptz NOT NULL DEFAULT now()
//! );
//! ```

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use telemetry::TraceContext;
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};
use uuid::Uuid;

use crate::{Broker, Outgoing, PublishError, metrics};

/// Rows published in one go.
const BATCH: i64 = 256;
/// How often the relay looks for what a crash or another replica left.
const POLL: Duration = Duration::from_secs(1);
/// How often what waits is counted.
const COUNT: Duration = Duration::from_secs(5);
/// How long the rows of a queue that the broker does not have are passed over, so that they do not hold up all others.
const PASSED_OVER: Duration = Duration::from_secs(5);
/// The advisory lock of the relay: one publishes at a time, so the order of rows holds. The number spells "outbox".
const RELAY_LOCK: i64 = 0x6f75_7462_6f78;

/// Writes messages into the caller's transaction, in one statement.
pub async fn insert(conn: &mut PgConnection, messages: &[Outgoing]) -> sqlx::Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = messages.iter().map(|message| message.id).collect();
    let kinds: Vec<&str> = messages.iter().map(|message| message.kind.as_str()).collect();
    let queues: Vec<&str> = messages.iter().map(|message| message.queue.as_str()).collect();
    let correlations: Vec<Uuid> = messages.iter().map(|message| message.correlation_id).collect();
    let reply_to: Vec<Option<&str>> = messages
        .iter()
        .map(|message| message.reply_to.as_deref())
        .collect();
    let bodies: Vec<&Value> = messages.iter().map(|message| &message.body).collect();
    let parents: Vec<Option<&str>> = messages
        .iter()
        .map(|message| message.trace.traceparent.as_deref())
        .collect();
    let states: Vec<Option<&str>> = messages
        .iter()
        .map(|message| message.trace.tracestate.as_deref())
        .collect();
    sqlx::query(
        "INSERT INTO outbox (message_id, aggregate_id, kind, queue, correlation_id, reply_to, body, traceparent, tracestate)
         SELECT id, correlation, kind, queue, correlation, reply_to, body, parent, state
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::jsonb[], $7::text[], $8::text[])
              AS message (id, kind, queue, correlation, reply_to, body, parent, state)",
    )
    .bind(ids)
    .bind(kinds)
    .bind(queues)
    .bind(correlations)
    .bind(reply_to)
    .bind(bodies)
    .bind(parents)
    .bind(states)
    .execute(conn)
    .await?;
    Ok(())
}

/// The relay from the table to the broker.
#[derive(Debug, Clone)]
pub struct Outbox {
    pool: PgPool,
    broker: Arc<Broker>,
    wake: Arc<Notify>,
    /// Queues that the broker did not have, and when it said so. Whole queues, so that the rows of each keep their order.
    missing: Arc<Mutex<HashMap<String, Instant>>>,
}

/// What became of a batch.
struct Batch {
    published: usize,
    unroutable: usize,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    message_id: Uuid,
    kind: String,
    queue: String,
    correlation_id: Uuid,
    reply_to: Option<String>,
    body: Value,
    traceparent: Option<String>,
    tracestate: Option<String>,
}

impl From<Row> for (i64, Outgoing) {
    fn from(row: Row) -> Self {
        let message = Outgoing {
            id: row.message_id,
            kind: row.kind,
            queue: row.queue,
            correlation_id: row.correlation_id,
            reply_to: row.reply_to,
            body: row.body,
            trace: TraceContext {
                traceparent: row.traceparent,
                tracestate: row.tracestate,
            },
        };
        (row.id, message)
    }
}

impl Outbox {
    /// The outbox of the database behind `pool`.
    #[must_use]
    pub fn new(pool: PgPool, broker: Arc<Broker>) -> Self {
        Self {
            pool,
            broker,
            wake: Arc::default(),
            missing: Arc::default(),
        }
    }

    /// Says that a transaction with messages has committed. A wake-up that is lost costs one poll's time, no message.
    pub fn flush_soon(&self) {
        self.wake.notify_one();
    }

    /// Publishes until `shutdown`, woken by [`Outbox::flush_soon`] and by the clock.
    pub async fn run(&self, shutdown: CancellationToken) {
        metrics::DUPLICATES.of([]);
        let mut counted: Option<Instant> = None;
        loop {
            let stopped = shutdown
                .run_until_cancelled(timeout(POLL, self.wake.notified()))
                .await
                .is_none();
            if let Err(error) = self.drain().await {
                warn!(%error, "the outbox waits for the broker or the database");
                // Wake-ups would only hurry into the same failure.
                shutdown.run_until_cancelled(tokio::time::sleep(POLL)).await;
            }
            if stopped {
                return;
            }
            // A database that is away has just been spoken of; the gauges keep what was last known.
            if counted.is_none_or(|at| at.elapsed() > COUNT) && self.count().await.is_ok() {
                counted = Some(Instant::now());
            }
        }
    }

    /// Shows what waits. Every replica sees the same table.
    async fn count(&self) -> sqlx::Result<()> {
        let (pending, age): (i64, f64) = sqlx::query_as(
            "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM outbox",
        )
        .fetch_one(&self.pool)
        .await?;
        #[expect(clippy::cast_precision_loss, reason = "so many messages fit into no table")]
        metrics::OUTBOX_PENDING.of([]).set(pending as f64);
        metrics::OUTBOX_AGE.of([]).set(age);
        Ok(())
    }

    async fn drain(&self) -> anyhow::Result<()> {
        while self.run_once().await? > 0 {}
        Ok(())
    }

    /// Publishes one batch and returns how many the broker took. Unroutable messages stay, for a person to see, and do not
    /// count: if there are no others in a batch, the next is published.
    pub async fn run_once(&self) -> anyhow::Result<usize> {
        loop {
            let batch = self.batch().await?;
            if batch.published > 0 || batch.unroutable == 0 {
                return Ok(batch.published);
            }
        }
    }

    async fn batch(&self) -> anyhow::Result<Batch> {
        let mut transaction = self.pool.begin().await?;
        // Waits for another replica's batch, so that what was committed before this call is published after it.
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(RELAY_LOCK)
            .execute(&mut *transaction)
            .await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, message_id, kind, queue, correlation_id, reply_to, body, traceparent, tracestate
             FROM outbox WHERE queue <> ALL($1) ORDER BY id LIMIT $2",
        )
        .bind(self.passed_over())
        .bind(BATCH)
        .fetch_all(&mut *transaction)
        .await?;
        let results = self.publish(rows).await;
        let ids: Vec<i64> = results
            .iter()
            .filter_map(|(id, _, result)| result.is_ok().then_some(*id))
            .collect();
        if !ids.is_empty() {
            sqlx::query("DELETE FROM outbox WHERE id = ANY($1)")
                .bind(&ids)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        let mut unroutable = 0;
        for (_, queue, result) in results {
            match result {
                Ok(()) => {}
                Err(error @ PublishError::Unroutable { .. }) => {
                    unroutable += 1;
                    // Once a queue, which stands for all that wait for it.
                    if self.missing().insert(queue, Instant::now()).is_none() {
                        error!(%error, "a message stays in the outbox");
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        debug!(published = ids.len(), unroutable, "outbox");
        Ok(Batch {
            published: ids.len(),
            unroutable,
        })
    }

    async fn publish(&self, rows: Vec<Row>) -> Vec<(i64, String, Result<(), PublishError>)> {
        let publish = rows.into_iter().map(|row| async {
            let (id, message) = row.into();
            let result = self.broker.publish(&message).await;
            (id, message.queue, result)
        });
        join_all(publish).await
    }

    fn passed_over(&self) -> Vec<String> {
        let mut missing = self.missing();
        missing.retain(|_, since| since.elapsed() < PASSED_OVER);
        missing.keys().cloned().collect()
    }

    fn missing(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
