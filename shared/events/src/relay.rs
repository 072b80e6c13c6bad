//! The relay publishes a service's append-only event table. A cursor marks the last published row. An event is inserted in
//! the transaction of the change that it describes, and the cursor advances after Kafka has confirmed. A crash between the
//! two publishes some events again, with the same ids.
//!
//! A row gets its number before its transaction commits, so row 8 may be visible while row 7 is not committed yet.
//! Publishing every visible row after the cursor could therefore skip row 7. The relay queries twice instead:
//!
//! 1. It reads the highest visible number N, and then allocates a transaction id X of its own. The end of its snapshot
//!    would not suffice: that is one past the last transaction that has ended, and row 7 may belong to a newer one.
//! 2. Once all transactions of this database with an id below X have ended, no more rows up to N can appear. The relay then
//!    reads these rows in the order of their numbers.
//!
//! This, and the order of one aggregate's events, depends on one rule: **a transaction that writes an event must first lock
//! or write the aggregate's row**, by `SELECT … FOR UPDATE`, `INSERT` or `UPDATE`; an advisory lock is not enough. The
//! transaction then has an id before it takes a number, and the numbers of an aggregate increase in commit order.
//!
//! The SQL is checked at run time. Each service provides this table, and this view of its own event table:
//!
//! ```sql
//! CREATE TABLE event_cursor (
//!     one      boolean     PRIMARY KEY DEFAULT true CHECK (one),
//!     id       bigint      NOT NULL DEFAULT 0,
//!     moved_at timestamptz NOT NULL DEFAULT now()
//! );
//! INSERT INTO event_cursor DEFAULT VALUES;
//! CREATE VIEW domain_events AS
//! SELECT id, order_id::text AS aggregate_id, type, 1 AS version, data, created_at AS occurred_at, traceparent, tracestate
//! FROM order_events;
//! ```
//!
//! The view may omit rows that are internal to the service.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use contracts::events::{DomainEvent, Envelope, Trace};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use telemetry::TraceContext;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    Brokers, Namespace,
    producer::Producer,
    rounds::{self, Rounds},
};

/// Maximum number of rows in a batch. The second query may add a few.
const BATCH: usize = 500;
/// Interval at which pending events are counted.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);
/// How long to wait for older transactions before the connection is released.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);
const SETTLE_POLL: Duration = Duration::from_millis(5);
/// Advisory lock that ensures that only one replica publishes at a time. The number spells "events".
const RELAY_LOCK: i64 = 0x6576_656e_7473;
/// Maximum number of links that OpenTelemetry keeps per span.
const MAX_LINKS: usize = 128;

/// Publishes the event table of one service.
#[derive(Debug)]
pub struct Relay {
    pool: PgPool,
    producer: Producer,
    source: &'static str,
    topic: &'static str,
    counted_at: Option<Instant>,
    /// Result of the first query while older transactions are still running. It is kept between rounds, because a new one
    /// would also wait for newer transactions, and might never finish if there are always slow ones.
    horizon: Mutex<Option<Horizon>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    aggregate_id: String,
    r#type: String,
    version: i32,
    data: Value,
    occurred_at: DateTime<Utc>,
    traceparent: Option<String>,
    tracestate: Option<String>,
}

/// Result of the first query.
#[derive(Debug, Clone, sqlx::FromRow)]
struct Horizon {
    /// Highest row number of the next batch.
    last: i64,
    /// Transaction id that the query allocated. Transactions with a higher id started writing later.
    horizon: String,
}

impl Relay {
    /// Creates a relay from the database of `pool` to the topic of `E`. It connects on first use.
    #[must_use]
    pub fn new<E: DomainEvent>(pool: PgPool, brokers: &Brokers, namespace: &Namespace) -> Self {
        Self {
            pool,
            producer: Producer::new::<E>(brokers, namespace),
            source: E::SOURCE,
            topic: E::TOPIC,
            counted_at: None,
            horizon: Mutex::default(),
        }
    }

    /// Publishes until `shutdown`. Every replica may run this, but only one publishes at a time.
    pub async fn run(self, shutdown: CancellationToken) {
        rounds::run(self.topic, self, shutdown).await;
    }

    /// Publishes one batch and returns its number of events. Returns 0 if there is nothing new, if another replica is
    /// publishing, or if older transactions are still running.
    pub async fn run_once(&self) -> anyhow::Result<usize> {
        let mut transaction = self.pool.begin().await?;
        let is_locked: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)")
            .bind(RELAY_LOCK)
            .fetch_one(&mut *transaction)
            .await?;
        if !is_locked {
            return Ok(0);
        }
        let cursor: i64 = sqlx::query_scalar("SELECT id FROM event_cursor")
            .fetch_one(&mut *transaction)
            .await?;
        let Some(last) = self.settled(&mut transaction, cursor).await? else {
            return Ok(0);
        };
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, aggregate_id, type, version, data, occurred_at, traceparent, tracestate
             FROM domain_events WHERE id > $1 AND id <= $2 ORDER BY id",
        )
        .bind(cursor)
        .bind(last)
        .fetch_all(&mut *transaction)
        .await?;
        let events: Vec<_> = rows.into_iter().map(|row| self.envelope(row)).collect();
        self.producer.publish(&events).await?;
        sqlx::query("UPDATE event_cursor SET id = $1, moved_at = now()")
            .bind(last)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.producer.published(events.len());
        Ok(events.len())
    }

    fn envelope(&self, row: Row) -> Envelope {
        Envelope {
            id: Envelope::id(self.source, row.id),
            kind: row.r#type,
            version: row.version.unsigned_abs(),
            source: self.source.to_owned(),
            aggregate_id: row.aggregate_id,
            sequence: row.id,
            occurred_at: row.occurred_at,
            trace: Trace {
                traceparent: row.traceparent,
                tracestate: row.tracestate,
            },
            data: row.data,
        }
    }

    /// Returns the number up to which no more rows can appear. `None` if there is nothing new, or if older transactions are
    /// still running after [`SETTLE_TIMEOUT`].
    async fn settled(&self, conn: &mut PgConnection, cursor: i64) -> sqlx::Result<Option<i64>> {
        let previous = self.horizon.lock().unwrap_or_else(PoisonError::into_inner).take();
        let next = match previous.filter(|next| next.last > cursor) {
            Some(next) => next,
            None => match find_horizon(conn, cursor).await? {
                Some(next) => next,
                None => return Ok(None),
            },
        };
        let started = Instant::now();
        while started.elapsed() < SETTLE_TIMEOUT {
            if have_ended(conn, &next.horizon).await? {
                return Ok(Some(next.last));
            }
            sleep(SETTLE_POLL).await;
        }
        *self.horizon.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
        Ok(None)
    }

    async fn count(&self) -> sqlx::Result<()> {
        let (pending, oldest): (i64, f64) = sqlx::query_as(
            "SELECT count(*), coalesce(extract(epoch FROM now() - min(occurred_at)), 0)::float8
             FROM (SELECT occurred_at FROM domain_events WHERE id > (SELECT id FROM event_cursor) ORDER BY id LIMIT 10000)
                 AS waiting",
        )
        .fetch_one(&self.pool)
        .await?;
        self.producer.waiting(pending, oldest);
        Ok(())
    }
}

impl Rounds for Relay {
    const FULL: usize = BATCH;

    async fn round(&mut self) -> anyhow::Result<usize> {
        if self.counted_at.is_none_or(|at| at.elapsed() >= COUNT_INTERVAL) {
            self.count().await?;
            self.counted_at = Some(Instant::now());
        }
        self.run_once().await
    }
}

/// Runs the first query. Returns `None` if there is nothing new. Its snapshot is older than the id that it allocates.
async fn find_horizon(conn: &mut PgConnection, cursor: i64) -> sqlx::Result<Option<Horizon>> {
    sqlx::query_as(
        "SELECT max(id) AS last, pg_current_xact_id()::text AS horizon
         FROM (SELECT id FROM domain_events WHERE id > $1 ORDER BY id LIMIT $2) AS page
         HAVING max(id) IS NOT NULL",
    )
    .bind(cursor)
    .bind(i64::try_from(BATCH).unwrap_or(i64::MAX))
    .fetch_optional(conn)
    .await
}

/// Whether all transactions below `horizon` that can write events have ended. All databases of a server share transaction
/// ids and snapshots. Transactions of other databases are identified by the lock that each transaction holds on its own id.
/// A prepared transaction has no process and may belong to any database, so it counts as one of this database.
async fn have_ended(conn: &mut PgConnection, horizon: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8 OR NOT EXISTS (
             SELECT FROM pg_locks LEFT JOIN pg_stat_activity AS process USING (pid)
             WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock'
               AND age(transactionid) > age($1::text::xid8::xid)
               AND coalesce(process.datname = current_database(), true))",
    )
    .bind(horizon)
    .fetch_one(conn)
    .await
}

/// Links the span of a batch to the spans in which its events occurred, each of them once.
pub(crate) fn link<'a>(span: &tracing::Span, traces: impl Iterator<Item = &'a Trace>) {
    let mut linked = std::collections::HashSet::new();
    for trace in traces.filter(|trace| trace.traceparent.is_some()) {
        if linked.len() < MAX_LINKS && linked.insert(&trace.traceparent) {
            context(trace).link(span);
        }
    }
}

/// Converts the trace of an event.
pub(crate) fn context(trace: &Trace) -> TraceContext {
    TraceContext {
        traceparent: trace.traceparent.clone(),
        tracestate: trace.tracestate.clone(),
    }
}
