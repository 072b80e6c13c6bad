//! The outbox: messages are inserted as rows in the transaction that causes them, and published after its commit (the
//! Transactional Outbox pattern of Richardson). A row is deleted once the broker has confirmed the message. After a crash,
//! the next poll of any replica publishes the remaining rows.
//!
//! The table is part of each service's database, so its SQL is checked at run time, not at compile time:
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
//! A relay claims rows before it publishes them, so that replicas publish different rows. To save a round trip, one
//! statement deletes the rows of the confirmed batch and claims the next batch. Until then the confirmed rows stay claimed.
//! If the relay crashes in between, another one publishes them again.

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

/// Maximum number of rows in a batch.
const BATCH: i64 = 256;
/// Seconds after which another relay may publish the claimed rows. The publisher waits less than this for confirms.
const CLAIM_SECONDS: f64 = 10.0;
/// Interval at which the relay polls for rows that a crash or another replica has left.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Interval at which pending rows are counted.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);
/// How long the rows of a queue that does not exist are skipped, so that they do not block other rows.
const SKIP_MISSING_QUEUE: Duration = Duration::from_secs(5);

/// Inserts messages as part of the caller's transaction, in one statement.
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

/// The relay, which publishes the rows of the outbox table.
#[derive(Debug, Clone)]
pub struct Outbox {
    pool: PgPool,
    broker: Arc<Broker>,
    wake: Arc<Notify>,
    /// Queues that did not exist on the broker, and when this was noticed. All rows of such a queue are skipped, so that they
    /// keep their order.
    missing: Arc<Mutex<HashMap<String, Instant>>>,
}

/// The outcome of publishing a batch, as ids of rows.
#[derive(Default)]
struct BatchOutcome {
    /// Rows that the broker has confirmed.
    confirmed: Vec<i64>,
    /// Rows that must be published again later.
    failed: Vec<i64>,
    /// The last error other than an unroutable message.
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
    /// Creates a relay from the database of `pool` to `broker`.
    #[must_use]
    pub fn new(pool: PgPool, broker: Arc<Broker>) -> Self {
        Self {
            pool,
            broker,
            wake: Arc::default(),
            missing: Arc::default(),
        }
    }

    /// Wakes the relay after a transaction with messages has committed. Without it, messages wait for the next poll.
    pub fn flush_soon(&self) {
        self.wake.notify_one();
    }

    /// Publishes until `shutdown`, every second and whenever [`Outbox::flush_soon`] is called. After `shutdown` it publishes
    /// the remaining rows.
    pub async fn run(&self, shutdown: CancellationToken) {
        metrics::DUPLICATES.of([]);
        let mut counted_at: Option<Instant> = None;
        let mut confirmed = vec![];
        loop {
            let stopped = shutdown
                .run_until_cancelled(timeout(POLL_INTERVAL, self.wake.notified()))
                .await
                .is_none();
            if let Err(error) = self.publish_batch(&mut confirmed).await {
                warn!(%error, "publishing from the outbox failed; will retry in 1 s");
                // Ignore wake-ups meanwhile, because they would lead to the same failure.
                shutdown
                    .run_until_cancelled(tokio::time::sleep(POLL_INTERVAL))
                    .await;
            }
            if stopped {
                if let Err(error) = self.publish_pending(&mut confirmed).await {
                    warn!(%error, "could not publish the remaining messages of the outbox; another replica will");
                }
                return;
            }
            // Errors are not logged, because an unavailable database was logged above. The gauges keep their last values.
            if counted_at.is_none_or(|at| at.elapsed() > COUNT_INTERVAL) && self.count().await.is_ok() {
                counted_at = Some(Instant::now());
            }
        }
    }

    /// Updates the gauges of pending messages. Every replica reports the same values, because they share the table.
    async fn count(&self) -> sqlx::Result<()> {
        let (pending, age): (i64, f64) = sqlx::query_as(
            "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM outbox",
        )
        .fetch_one(&self.pool)
        .await?;
        #[expect(clippy::cast_precision_loss, reason = "no table has as many as 2^52 messages")]
        metrics::OUTBOX_PENDING.of([]).set(pending as f64);
        metrics::OUTBOX_AGE.of([]).set(age);
        Ok(())
    }

    /// Publishes all pending messages and returns the number that the broker confirmed. Unroutable messages stay in the table
    /// for an operator, and are not counted.
    pub async fn run_once(&self) -> anyhow::Result<usize> {
        self.publish_pending(&mut vec![]).await
    }

    /// Publishes batches until there is nothing to publish or to delete.
    async fn publish_pending(&self, confirmed: &mut Vec<i64>) -> anyhow::Result<usize> {
        let mut published = 0;
        while let Some(more) = self.publish_batch(confirmed).await? {
            published += more;
        }
        Ok(published)
    }

    /// Deletes the rows in `confirmed` and publishes one batch. Afterwards `confirmed` has the rows that the next call must
    /// delete. Returns the number of confirmed messages, or `None` if none was pending.
    async fn publish_batch(&self, confirmed: &mut Vec<i64>) -> anyhow::Result<Option<usize>> {
        let rows = self.claim(confirmed).await?;
        confirmed.clear();
        if rows.is_empty() {
            return Ok(None);
        }
        if rows.len() == usize::try_from(BATCH)? {
            // After a full batch, more rows may be pending.
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

    /// Deletes the `confirmed` rows and claims the next batch, oldest rows first.
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
        .bind(self.skipped_queues())
        .bind(BATCH)
        .fetch_all(&self.pool)
        .await
    }

    /// Deletes the `confirmed` rows and releases the claims of the `failed` rows.
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

    async fn publish(&self, rows: Vec<Row>) -> BatchOutcome {
        let publish = rows.into_iter().map(|row| async {
            let (id, message) = row.into();
            let result = self.broker.publish(&message).await;
            (id, message.queue, result)
        });
        let mut batch = BatchOutcome::default();
        for (id, queue, result) in join_all(publish).await {
            match result {
                Ok(()) => {
                    batch.confirmed.push(id);
                    continue;
                }
                Err(error @ PublishError::Unroutable { .. }) => {
                    // Log it once per queue, because all messages to the queue are affected.
                    if self.missing().insert(queue, Instant::now()).is_none() {
                        error!(%error, "a message is unroutable and stays in the outbox; will retry");
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

    fn skipped_queues(&self) -> Vec<String> {
        let mut missing = self.missing();
        missing.retain(|_, since| since.elapsed() < SKIP_MISSING_QUEUE);
        missing.keys().cloned().collect()
    }

    fn missing(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
