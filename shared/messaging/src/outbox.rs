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
//!     created_at     timestamptz NOT NULL DEFAULT now(),
//!     claimed_until  timestamptz NOT NULL DEFAULT '-infinity'
//! );
//! ```
//!
//! A relay claims rows before it publishes them, so that replicas publish different ones. One statement deletes what the
//! broker has confirmed since the last one and claims what was committed since: a message costs its relay one round trip.
//! Until then a confirmed row stays claimed, and a relay that dies leaves it to be published once more.

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
/// How long a relay may take to publish what it has claimed, in seconds; then another relay does. The publisher waits for
/// confirms for less.
const CLAIM_SECONDS: f64 = 10.0;
/// How often the relay looks for what a crash or another replica left.
const POLL: Duration = Duration::from_secs(1);
/// How often what waits is counted.
const COUNT: Duration = Duration::from_secs(5);
/// How long the rows of a queue that the broker does not have are passed over, so that they do not hold up all others.
const PASSED_OVER: Duration = Duration::from_secs(5);

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

/// What became of a batch, by the rows' ids.
#[derive(Default)]
struct Batch {
    /// The broker has confirmed them.
    confirmed: Vec<i64>,
    /// They are to be published again later.
    failed: Vec<i64>,
    /// Why the broker took some of them not, unless they are unroutable.
    error: Option<PublishError>,
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
        let mut confirmed = vec![];
        loop {
            let stopped = shutdown
                .run_until_cancelled(timeout(POLL, self.wake.notified()))
                .await
                .is_none();
            if let Err(error) = self.round(&mut confirmed).await {
                warn!(%error, "the outbox waits for the broker or the database");
                // Wake-ups would only hurry into the same failure.
                shutdown.run_until_cancelled(tokio::time::sleep(POLL)).await;
            }
            if stopped {
                if let Err(error) = self.rounds(&mut confirmed).await {
                    warn!(%error, "what is left in the outbox waits for another relay");
                }
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

    /// Publishes what waits and returns how many messages the broker took. Unroutable messages stay, for a person to see,
    /// and do not count.
    pub async fn run_once(&self) -> anyhow::Result<usize> {
        self.rounds(&mut vec![]).await
    }

    /// Rounds until nothing is left to publish or to delete.
    async fn rounds(&self, confirmed: &mut Vec<i64>) -> anyhow::Result<usize> {
        let mut published = 0;
        while let Some(more) = self.round(confirmed).await? {
            published += more;
        }
        Ok(published)
    }

    /// Deletes what is `confirmed`, publishes one batch, and leaves in `confirmed` what of it the next round is to delete.
    /// Returns how many messages the broker took; none if nothing waited.
    async fn round(&self, confirmed: &mut Vec<i64>) -> anyhow::Result<Option<usize>> {
        let rows = self.claim(confirmed).await?;
        confirmed.clear();
        if rows.is_empty() {
            return Ok(None);
        }
        if rows.len() == usize::try_from(BATCH)? {
            // After a full batch more rows may wait.
            self.flush_soon();
        }
        let batch = self.publish(rows).await;
        let published = batch.confirmed.len();
        if batch.failed.is_empty() {
            *confirmed = batch.confirmed;
        } else {
            self.release(&batch.confirmed, &batch.failed).await?;
        }
        match batch.error {
            Some(error) => Err(error.into()),
            None => Ok(Some(published)),
        }
    }

    /// Deletes the rows that are `confirmed`, and claims the next batch, oldest first.
    async fn claim(&self, confirmed: &[i64]) -> sqlx::Result<Vec<Row>> {
        sqlx::query_as(
            "WITH deleted AS (
                 DELETE FROM outbox WHERE id = ANY($1)
             ), claimed AS (
                 UPDATE outbox SET claimed_until = now() + make_interval(secs => $2)
                 WHERE id IN (
                     SELECT id FROM outbox
                     WHERE claimed_until <= now() AND id <> ALL($1) AND queue <> ALL($3)
                     ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED)
                 RETURNING *)
             SELECT id, message_id, kind, queue, correlation_id, reply_to, body, traceparent, tracestate
             FROM claimed ORDER BY id",
        )
        .bind(confirmed)
        .bind(CLAIM_SECONDS)
        .bind(self.passed_over())
        .bind(BATCH)
        .fetch_all(&self.pool)
        .await
    }

    /// Deletes the rows that are `confirmed`, and lets any relay claim those that `failed`.
    async fn release(&self, confirmed: &[i64], failed: &[i64]) -> sqlx::Result<()> {
        sqlx::query(
            "WITH deleted AS (DELETE FROM outbox WHERE id = ANY($1))
             UPDATE outbox SET claimed_until = '-infinity' WHERE id = ANY($2)",
        )
        .bind(confirmed)
        .bind(failed)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    async fn publish(&self, rows: Vec<Row>) -> Batch {
        let publish = rows.into_iter().map(|row| async {
            let (id, message) = row.into();
            let result = self.broker.publish(&message).await;
            (id, message.queue, result)
        });
        let mut batch = Batch::default();
        for (id, queue, result) in join_all(publish).await {
            match result {
                Ok(()) => {
                    batch.confirmed.push(id);
                    continue;
                }
                Err(error @ PublishError::Unroutable { .. }) => {
                    // Once a queue, which stands for all that wait for it.
                    if self.missing().insert(queue, Instant::now()).is_none() {
                        error!(%error, "a message stays in the outbox");
                    }
                }
                Err(error) => batch.error = Some(error),
            }
            batch.failed.push(id);
        }
        debug!(
            published = batch.confirmed.len(),
            failed = batch.failed.len(),
            "outbox"
        );
        batch
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
