//! The SQL of sagas. Every update names the epoch it decided on: an orchestrator that was stopped for longer than its
//! lease changes no row when it comes back. Due times are of the database's clock.

use contracts::{CommandId, SagaId};
use sqlx::{PgConnection, types::Json};
use telemetry::TraceContext;
use uuid::Uuid;

use super::{
    admission::{IN_FLIGHT, STUCK_AFTER},
    checkout,
    effects::{Change, Ending},
    engine::{self, At, Direction, Position},
    proceed::Entry,
    table::{Facts, Saga},
};
use crate::{
    faults::Sending,
    orders::{FulfilmentStatus, OrderStatus, PaymentStatus},
};

/// How long a leased saga is left to the one that leased it.
const LEASE_SECONDS: f64 = 30.0;
/// How long a checkout may take until its pivot, from its first command on; and how long it may wait for its turn.
const DEADLINE_SECONDS: f64 = 120.0;

/// A saga as it was read, locked.
#[derive(Debug, Clone)]
pub struct Live {
    /// Its id.
    pub id: SagaId,
    /// Its table.
    pub saga: &'static Saga,
    /// Where it is.
    pub at: At,
    /// Which version of the row this is.
    pub epoch: i64,
    /// How often the awaited command was sent.
    pub attempts: i32,
    /// Whether its deadline has passed.
    pub overdue: bool,
    /// Seconds since the awaited command was sent last.
    pub awaited_seconds: f64,
    /// What its commands speak of.
    pub facts: Facts,
    /// Why it is undone, if it is.
    pub ending: Option<Ending>,
    /// Where it began.
    pub trace: TraceContext,
}

impl Live {
    /// Whether it waits for a free place: no command was sent yet.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.attempts == 0 && matches!(self.at, At::Active(_))
    }

    /// Where the saga goes when it is given up, see [`engine::give_up`]. A saga that has sent nothing has nothing to undo.
    #[must_use]
    pub fn give_up(&self) -> Option<At> {
        if self.is_waiting() {
            return Some(At::Compensated);
        }
        engine::give_up(self.saga, self.at)
    }
}

struct Row {
    id: Uuid,
    definition: String,
    status: String,
    step_name: String,
    direction: String,
    epoch: i64,
    attempts: i32,
    overdue: bool,
    awaited_seconds: f64,
    ending: Option<String>,
    reason: Option<String>,
    data: Json<Facts>,
    traceparent: Option<String>,
    tracestate: Option<String>,
}

impl Row {
    fn live(self) -> sqlx::Result<Live> {
        let unknown = |what: String| sqlx::Error::Decode(what.into());
        let saga = checkout::ALL
            .into_iter()
            .find(|saga| saga.name == self.definition)
            .ok_or_else(|| unknown(format!("there is no saga {}", self.definition)))?;
        let step = saga
            .index_of(&self.step_name)
            .ok_or_else(|| unknown(format!("{} has no step {}", saga.name, self.step_name)))?;
        let direction = if self.direction == "undo" {
            Direction::Undo
        } else {
            Direction::Do
        };
        let at = match self.status.as_str() {
            "completed" => At::Completed,
            "compensated" => At::Compensated,
            "parked" => At::Parked(Position { step, direction }),
            _ => At::Active(Position { step, direction }),
        };
        let reason = self.reason.unwrap_or_default();
        let status = self.ending.map(|word| OrderStatus::parse(&word)).transpose()?;
        Ok(Live {
            id: SagaId(self.id),
            saga,
            at,
            epoch: self.epoch,
            attempts: self.attempts,
            overdue: self.overdue,
            awaited_seconds: self.awaited_seconds,
            facts: self.data.0,
            ending: status.map(|status| Ending { status, reason }),
            trace: TraceContext {
                traceparent: self.traceparent,
                tracestate: self.tracestate,
            },
        })
    }
}

/// Reads a saga; the macro because sqlx checks literals only.
macro_rules! read {
    ($conn:expr, $id:expr, $lock:literal) => {
        sqlx::query_as!(
            Row,
            r#"SELECT id, definition, status, step_name, direction, epoch, attempts, deadline_at <= now() AS "overdue!",
                   extract(epoch FROM now() - updated_at)::float8 AS "awaited_seconds!",
                   ending, reason, data AS "data: Json<Facts>", traceparent, tracestate
               FROM sagas WHERE id = $1"#
                + $lock,
            $id.0
        )
        .fetch_optional($conn)
        .await?
        .map(Row::live)
        .transpose()
    };
}

/// The saga as it is now.
pub async fn find(conn: &mut PgConnection, id: SagaId) -> sqlx::Result<Option<Live>> {
    read!(conn, id, "")
}

/// The saga, locked until the transaction ends.
pub async fn lock(conn: &mut PgConnection, id: SagaId) -> sqlx::Result<Option<Live>> {
    read!(conn, id, " FOR UPDATE")
}

/// A saga that is due, as it was when it was leased.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    /// Which.
    pub id: SagaId,
    /// Its row must still be this.
    pub epoch: i64,
}

/// Leases sagas that no other replica has: those that are due, and those for which a place in flight is free. Oldest
/// first.
pub async fn lease_due(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<Lease>> {
    let rows = sqlx::query!(
        "WITH due AS (
             SELECT id FROM sagas
             WHERE status IN ('running', 'compensating') AND next_at <= now()
                 AND (lease_until IS NULL OR lease_until <= now())
             ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED
         ), admitted AS (
             SELECT id FROM sagas
             WHERE status = 'running' AND attempts = 0 AND next_at > now()
                 AND (lease_until IS NULL OR lease_until <= now())
             ORDER BY id LIMIT (
                 SELECT greatest($3 - count(*), 0) FROM sagas
                 WHERE status IN ('running', 'compensating') AND attempts BETWEEN 1 AND $4)
             FOR UPDATE SKIP LOCKED)
         UPDATE sagas SET lease_until = now() + make_interval(secs => $2), epoch = epoch + 1
         FROM (SELECT id FROM due UNION ALL SELECT id FROM admitted) AS leased
         WHERE sagas.id = leased.id
         RETURNING sagas.id, sagas.epoch",
        limit,
        LEASE_SECONDS,
        IN_FLIGHT,
        STUCK_AFTER
    )
    .fetch_all(conn)
    .await?;
    let lease = rows.into_iter().map(|row| Lease {
        id: SagaId(row.id),
        epoch: row.epoch,
    });
    Ok(lease.collect())
}

/// Lets a due saga wait for longer, with its command unsent. False when the saga has moved since.
pub(super) async fn postpone(
    conn: &mut PgConnection,
    id: SagaId,
    epoch: i64,
    seconds: f64,
) -> sqlx::Result<bool> {
    let postponed = sqlx::query!(
        "UPDATE sagas SET next_at = now() + make_interval(secs => $3), lease_until = NULL, epoch = epoch + 1
         WHERE id = $1 AND epoch = $2",
        id.0,
        epoch,
        seconds
    )
    .execute(conn)
    .await?;
    Ok(postponed.rows_affected() == 1)
}

/// What a saga's row becomes.
#[derive(Debug)]
pub(super) struct Next<'a> {
    pub(super) at: At,
    /// The last position, once there is none any more.
    pub(super) position: Position,
    pub(super) awaiting: Option<CommandId>,
    pub(super) attempts: i32,
    pub(super) wait_seconds: f64,
    /// Whether the deadline comes before the resend.
    pub(super) has_deadline: bool,
    /// Whether the deadline is counted from now on.
    pub(super) restarts_deadline: bool,
    pub(super) last_error: Option<&'a str>,
    pub(super) parked_reason: Option<&'a str>,
    pub(super) ending: Option<&'a Ending>,
    /// The awaited command, if it is to be sent now.
    pub(super) sending: Option<Sending>,
}

/// A log's columns.
#[derive(Default)]
struct Columns<'a> {
    steps: Vec<&'a str>,
    directions: Vec<&'a str>,
    commands: Vec<Option<Uuid>>,
    outcomes: Vec<&'a str>,
    reasons: Vec<Option<&'a str>>,
    details: Vec<Option<&'a str>>,
    actors: Vec<Option<Uuid>>,
}

impl<'a> Columns<'a> {
    fn of(entries: &'a [Entry]) -> Self {
        let mut columns = Self::default();
        for entry in entries {
            columns.steps.push(entry.step);
            columns.directions.push(entry.direction.as_str());
            columns.commands.push(entry.command.map(|id| id.0));
            columns.outcomes.push(entry.outcome);
            columns.reasons.push(entry.reason.as_deref());
            columns.details.push(entry.detail.as_deref());
            columns.actors.push(entry.actor.map(|id| id.0));
        }
        columns
    }
}

/// What the event of a move tells of it: the step that was heard of, or whose command is sent again, and where the saga is
/// then.
fn told(live: &Live, next: &Next<'_>, entry: &Entry) -> serde_json::Value {
    let name = |position: Position| live.saga.steps[position.step].name;
    let then = next.at.position();
    let stays = then == live.at.position();
    serde_json::json!({
        "saga_id": live.id,
        "step": entry.step,
        "direction": entry.direction.as_str(),
        "outcome": entry.outcome,
        "attempt": if stays { next.attempts } else { live.attempts },
        "saga_status": next.at.status(),
        "next": then.map(|then| serde_json::json!({"step": name(then), "direction": then.direction.as_str()})),
    })
}

/// Saves a move: row, log, order, events and command, in one statement. False, and nothing saved, when the row is not of the
/// epoch that the move was decided on. The order's row is written even if it stays as it is: that locks it, so that the
/// numbers of its events rise in the order of the commits.
pub(super) async fn save(
    conn: &mut PgConnection,
    live: &Live,
    next: &Next<'_>,
    entries: &[Entry],
    change: Change,
) -> sqlx::Result<bool> {
    let columns = Columns::of(entries);
    let events: Vec<&str> = change.before.into_iter().chain([change.event]).collect();
    let trace = TraceContext::current();
    let sending = next.sending.as_ref();
    let saved = sqlx::query_file_scalar!(
        "src/saga/save_move.sql",
        live.id.0,
        live.epoch,
        next.at.status(),
        live.saga.steps[next.position.step].name,
        next.position.direction.as_str(),
        next.awaiting.map(|id| id.0),
        next.attempts,
        next.has_deadline,
        next.wait_seconds,
        next.last_error,
        next.parked_reason,
        next.ending.map(|ending| ending.status.as_str()),
        next.ending.map(|ending| ending.reason.as_str()),
        &columns.steps as _,
        &columns.directions as _,
        &columns.commands as _,
        &columns.outcomes as _,
        &columns.reasons as _,
        &columns.details as _,
        &columns.actors as _,
        trace.traceparent,
        &events as _,
        change.status.map(OrderStatus::as_str),
        change.payment.map(PaymentStatus::as_str),
        change.fulfilment.map(FulfilmentStatus::as_str),
        entries.first().map(|entry| told(live, next, entry)),
        trace.tracestate,
        next.restarts_deadline,
        DEADLINE_SECONDS,
        sending.map(|sending| &sending.command.kind),
        sending.map(|sending| &sending.command.queue),
        sending.and_then(|sending| sending.command.reply_to.as_ref()),
        sending.map(|sending| &sending.command.body),
        sending.map_or(0, |sending| sending.copies.into()),
    )
    .fetch_one(conn)
    .await?;
    Ok(saved == 1)
}

/// A new saga at its first step, whose command is sent now, unless as many sagas as `capacity` are in flight or waiting
/// already. Returns whether it is.
pub(super) async fn insert(
    conn: &mut PgConnection,
    saga: &Saga,
    facts: &Facts,
    first: &Sending,
    wait_seconds: f64,
    capacity: i64,
) -> sqlx::Result<bool> {
    sqlx::query_file_scalar!(
        "src/saga/insert_saga.sql",
        facts.saga.0,
        facts.order.0,
        saga.name,
        saga.steps[0].name,
        first.command.id,
        wait_seconds,
        DEADLINE_SECONDS,
        Json(facts) as _,
        first.command.trace.traceparent,
        first.command.trace.tracestate,
        capacity,
        STUCK_AFTER,
        first.command.kind,
        first.command.queue,
        first.command.reply_to,
        first.command.body,
        i32::from(first.copies),
    )
    .fetch_one(conn)
    .await
}

/// Fails when a live saga is of a definition, or at a step, that this code does not have.
pub async fn check_known(conn: &mut PgConnection) -> anyhow::Result<()> {
    let rows = sqlx::query!(
        "SELECT definition, step_name, min(id::text) AS id FROM sagas
         WHERE status IN ('running', 'compensating', 'parked') GROUP BY definition, step_name"
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        let saga = checkout::ALL.into_iter().find(|saga| saga.name == row.definition);
        anyhow::ensure!(
            saga.is_some_and(|saga| saga.index_of(&row.step_name).is_some()),
            "the live saga {} is at step {} of {}, which this version does not know; let it finish with the version \
             that does",
            row.id.unwrap_or_default(),
            row.step_name,
            row.definition,
        );
    }
    Ok(())
}

/// Parks a live saga, whose answers are awaited all the same. False when there is none to park.
pub async fn park(conn: &mut PgConnection, id: SagaId, reason: &str) -> sqlx::Result<bool> {
    let trace = TraceContext::current();
    let parked = sqlx::query_scalar!(
        r#"WITH saga AS (
               UPDATE sagas SET status = 'parked', parked_reason = $2, last_error = $2, lease_until = NULL,
                   epoch = epoch + 1, updated_at = now()
               WHERE id = $1 AND status IN ('running', 'compensating')
               RETURNING id, order_id, step_name, direction, awaiting, attempts
           ), logged AS (
               INSERT INTO saga_log (saga_id, step, direction, command_id, outcome, reason)
               SELECT id, step_name, direction, awaiting, 'parked', $2 FROM saga
           ), locked AS (
               SELECT o.id, o.status, o.reason, o.payment_status, o.fulfilment_status, saga.id AS saga_id,
                   saga.step_name, saga.direction, saga.attempts
               FROM orders o JOIN saga ON saga.order_id = o.id FOR NO KEY UPDATE OF o
           ), told AS (
               INSERT INTO order_events (order_id, type, data, traceparent, tracestate)
               SELECT id, 'saga_progressed', jsonb_build_object('saga_id', saga_id, 'step', step_name,
                   'direction', direction, 'outcome', 'parked', 'attempt', attempts, 'saga_status', 'parked',
                   'next', jsonb_build_object('step', step_name, 'direction', direction),
                   'status', status, 'reason', reason, 'payment_status', payment_status,
                   'fulfilment_status', fulfilment_status), $3, $4
               FROM locked
           )
           SELECT count(*) AS "parked!" FROM saga"#,
        id.0,
        reason,
        trace.traceparent,
        trace.tracestate,
    )
    .fetch_one(conn)
    .await?;
    Ok(parked == 1)
}
