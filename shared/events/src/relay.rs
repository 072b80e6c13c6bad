//! The relay: moves a cursor over a service's append-only table of events, and publishes what it passes. An event is a
//! row of the transaction that it tells of; the cursor moves after Kafka has confirmed, so a crash between the two
//! publishes some events again, with the same ids.
//!
//! A number is given before its transaction commits, so "everything above the cursor" is not enough: 8 may be there while
//! 7 is still to come. So the relay looks twice. First it sees the highest number N that is there, and then takes a
//! transaction id X for itself: the end of its snapshot would not do, since that is one past the last transaction that has
//! ended, and 7 may be of a younger one. Once all transactions of this database below X have ended, every row up to N that
//! will ever be there is there, and the second look reads them, in order of their numbers. This, and the order of one
//! aggregate's events, rests on one rule: **whoever writes an event has locked or written the aggregate's row before**
//! (by `SELECT … FOR UPDATE`, `INSERT` or `UPDATE`; an advisory lock is not enough). So its transaction has an id before it
//! takes a number, and an aggregate's numbers rise in the order of its commits.
//!
//! The SQL is checked when it runs. A service provides, over a table of its own:
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
//! Numbers may be missing in the view: what is nobody else's business can be left out of it.

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

/// Rows published in one go, but for the few that the second look adds.
const BATCH: usize = 500;
/// How often what waits is counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// How long older transactions are waited for before the connection is given back.
const SETTLE_WITHIN: Duration = Duration::from_secs(5);
const SETTLE_POLL: Duration = Duration::from_millis(5);
/// The advisory lock of the relay: one publishes at a time. The number spells "events".
const RELAY_LOCK: i64 = 0x6576_656e_7473;
/// OpenTelemetry keeps as many links of a span.
const MOST_LINKS: usize = 128;

/// The relay of one service.
#[derive(Debug)]
pub struct Relay {
    pool: PgPool,
    producer: Producer,
    source: &'static str,
    topic: &'static str,
    counted: Option<Instant>,
    /// The first look, while older transactions are waited for: another would wait for younger ones, too, and so for ever
    /// where there are always some that take long.
    look: Mutex<Option<Look>>,
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

/// What the first look saw.
#[derive(Debug, Clone, sqlx::FromRow)]
struct Look {
    /// The highest number of the next batch.
    last: i64,
    /// The id that the look took: transactions above it had none yet.
    horizon: String,
}

impl Relay {
    /// From the database behind `pool` to the topic of `E`. It connects when there is something to publish.
    #[must_use]
    pub fn new<E: DomainEvent>(pool: PgPool, brokers: &Brokers, namespace: &Namespace) -> Self {
        Self {
            pool,
            producer: Producer::new::<E>(brokers, namespace),
            source: E::SOURCE,
            topic: E::TOPIC,
            counted: None,
            look: Mutex::default(),
        }
    }

    /// Publishes until `shutdown`. Every replica may run it: one works, the others look on.
    pub async fn run(self, shutdown: CancellationToken) {
        rounds::run(self.topic, self, shutdown).await;
    }

    /// Publishes one batch and returns how many events it had. None, if there is nothing new, another replica is at it,
    /// or older transactions do not end.
    pub async fn run_once(&self) -> anyhow::Result<usize> {
        let mut transaction = self.pool.begin().await?;
        let mine: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)")
            .bind(RELAY_LOCK)
            .fetch_one(&mut *transaction)
            .await?;
        if !mine {
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

    /// The number up to which every row that will ever be there is there; none if there is nothing new, or older
    /// transactions do not end.
    async fn settled(&self, conn: &mut PgConnection, cursor: i64) -> sqlx::Result<Option<i64>> {
        let kept = self.look.lock().unwrap_or_else(PoisonError::into_inner).take();
        let look = match kept.filter(|look| look.last > cursor) {
            Some(look) => look,
            None => match look(conn, cursor).await? {
                Some(look) => look,
                None => return Ok(None),
            },
        };
        let began = Instant::now();
        while began.elapsed() < SETTLE_WITHIN {
            if have_ended(conn, &look.horizon).await? {
                return Ok(Some(look.last));
            }
            sleep(SETTLE_POLL).await;
        }
        *self.look.lock().unwrap_or_else(PoisonError::into_inner) = Some(look);
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
        if self.counted.is_none_or(|at| at.elapsed() >= COUNT_EVERY) {
            self.count().await?;
            self.counted = Some(Instant::now());
        }
        self.run_once().await
    }
}

/// The first look; none if there is nothing new. Its snapshot is older than the id it takes.
async fn look(conn: &mut PgConnection, cursor: i64) -> sqlx::Result<Option<Look>> {
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

/// Whether all transactions below `horizon` have ended that can write events. Ids are given, and snapshots taken, in all
/// databases of a server together; those of other databases are told by the locks that every transaction with an id
/// holds on it (one that was prepared has no process, and may be of any database).
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

/// Links a span of a batch to the places where its events happened, each once.
pub(crate) fn link<'a>(span: &tracing::Span, traces: impl Iterator<Item = &'a Trace>) {
    let mut linked = std::collections::HashSet::new();
    for trace in traces.filter(|trace| trace.traceparent.is_some()) {
        if linked.len() < MOST_LINKS && linked.insert(&trace.traceparent) {
            context(trace).link(span);
        }
    }
}

/// Where an event happened.
pub(crate) fn context(trace: &Trace) -> TraceContext {
    TraceContext {
        traceparent: trace.traceparent.clone(),
        tracestate: trace.tracestate.clone(),
    }
}
