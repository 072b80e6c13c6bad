//! The state of a saga from which its next move is planned, and the queries that read it. Due times follow the
//! database's clock.

use contracts::SagaId;
use sqlx::{PgConnection, types::Json};
use telemetry::TraceContext;
use uuid::Uuid;

use super::{
    admission::{IN_FLIGHT, STUCK_AFTER},
    checkout,
    engine::{At, Direction, Position, SagaStatus},
    table::{Effect, Facts, Rejection, Saga, StepId},
};
use crate::orders::{FulfilmentStatus, OrderStatus, PaymentStatus};

/// How long a leased saga is reserved for the replica that leased it.
const LEASE_SECONDS: f64 = 30.0;

/// A saga and its order, as they were read without a lock.
#[derive(Debug, Clone)]
pub struct SagaState {
    /// Identifies the saga; a checkout has its order's id.
    pub id: SagaId,
    /// The table that declares the saga's steps.
    pub saga: &'static Saga,
    /// Where the saga is.
    pub at: At,
    /// The version of the saga's row; every update raises it.
    pub epoch: i64,
    /// How many times the awaited command was sent; 0 while a checkout waits for a free place in flight.
    pub attempts: u32,
    /// Whether the saga's deadline has passed.
    pub is_overdue: bool,
    /// Seconds since the awaited command was sent last.
    pub awaited_seconds: f64,
    /// The data that the commands are built from.
    pub facts: Facts,
    /// Why the saga is being undone, once that is decided.
    pub ending: Option<Ending>,
    /// The trace in which the saga was started.
    pub trace: TraceContext,
    /// The order that the saga works on.
    pub order: OrderState,
    /// The version of the order's row; every update changes it.
    pub order_version: String,
    /// The total of the order's other returns that were refunded, in minor units.
    pub refunded_by_others: i64,
    /// Whether every item of the order has been returned once this saga's return is complete.
    pub returns_the_rest: bool,
}

/// What a saga's move may change about its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderState {
    /// The status that the shopper sees.
    pub status: OrderStatus,
    /// Why the order was rejected or cancelled.
    pub reason: Option<String>,
    /// The status of its payment.
    pub payment: PaymentStatus,
    /// The status of its items.
    pub fulfilment: FulfilmentStatus,
    /// The order's total, in minor units.
    pub total: i64,
    /// The total of all refunds, in minor units.
    pub refunded: i64,
}

/// How a checkout that is undone ends for the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The order's last status: [`OrderStatus::Rejected`] or [`OrderStatus::Cancelled`].
    pub status: OrderStatus,
    /// The order's reason: a [`Rejection`], or the text of the person who cancelled.
    pub reason: String,
}

impl Ending {
    /// The order is rejected.
    #[must_use]
    pub fn rejected(rejection: Rejection) -> Self {
        Self {
            status: OrderStatus::Rejected,
            reason: rejection.as_str().to_owned(),
        }
    }

    /// The order is cancelled by a person.
    #[must_use]
    pub fn cancelled(reason: impl Into<String>) -> Self {
        Self {
            status: OrderStatus::Cancelled,
            reason: reason.into(),
        }
    }

    /// The effect once everything is undone.
    #[must_use]
    pub fn effect(&self) -> Effect {
        let event = if self.status == OrderStatus::Cancelled {
            "order_cancelled"
        } else {
            "order_rejected"
        };
        Effect::event(event)
            .order(self.status)
            .fulfilment(FulfilmentStatus::Cancelled)
    }
}

impl SagaState {
    /// Whether the saga waits for a free place in flight, with no command sent yet.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.attempts == 0 && matches!(self.at, At::Active(_))
    }

    /// Reads the saga `id`; none if it does not exist.
    pub async fn find(conn: &mut PgConnection, id: SagaId) -> sqlx::Result<Option<Self>> {
        sqlx::query_file_as!(Row, "src/saga/find_state.sql", id.0)
            .fetch_optional(conn)
            .await?
            .map(Row::state)
            .transpose()
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
    is_overdue: bool,
    awaited_seconds: f64,
    ending: Option<String>,
    reason: Option<String>,
    data: Json<Facts>,
    traceparent: Option<String>,
    tracestate: Option<String>,
    order_version: String,
    order_status: String,
    order_reason: Option<String>,
    payment_status: String,
    fulfilment_status: String,
    total: i64,
    refunded: i64,
    refunded_by_others: i64,
    returns_the_rest: bool,
}

impl Row {
    fn state(self) -> sqlx::Result<SagaState> {
        let unknown = |what: String| sqlx::Error::Decode(what.into());
        let saga = checkout::find(&self.definition)
            .ok_or_else(|| unknown(format!("there is no saga {}", self.definition)))?;
        let step = saga
            .index_of(StepId::parse(&self.step_name)?)
            .ok_or_else(|| unknown(format!("{} has no step {}", saga.name, self.step_name)))?;
        let position = Position {
            step,
            direction: Direction::parse(&self.direction)?,
        };
        let at = match SagaStatus::parse(&self.status)? {
            SagaStatus::Running | SagaStatus::Compensating => At::Active(position),
            SagaStatus::Parked => At::Parked(position),
            SagaStatus::Completed => At::Completed,
            SagaStatus::Compensated => At::Compensated,
        };
        let reason = self.reason.unwrap_or_default();
        let ending = self.ending.map(|word| OrderStatus::parse(&word)).transpose()?;
        Ok(SagaState {
            id: SagaId(self.id),
            saga,
            at,
            epoch: self.epoch,
            attempts: self.attempts.unsigned_abs(),
            is_overdue: self.is_overdue,
            awaited_seconds: self.awaited_seconds,
            facts: self.data.0,
            ending: ending.map(|status| Ending { status, reason }),
            trace: TraceContext {
                traceparent: self.traceparent,
                tracestate: self.tracestate,
            },
            order: OrderState {
                status: OrderStatus::parse(&self.order_status)?,
                reason: self.order_reason,
                payment: PaymentStatus::parse(&self.payment_status)?,
                fulfilment: FulfilmentStatus::parse(&self.fulfilment_status)?,
                total: self.total,
                refunded: self.refunded,
            },
            order_version: self.order_version,
            refunded_by_others: self.refunded_by_others,
            returns_the_rest: self.returns_the_rest,
        })
    }
}

/// A saga that is due, reserved for the replica that leased it.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    /// The id of the saga.
    pub id: SagaId,
    /// The version of the saga's row; the lease is lost when the row has another one.
    pub epoch: i64,
}

/// Leases sagas that no other replica has leased: those that are due, and the oldest waiting ones for which a place in
/// flight is free.
pub async fn lease_due(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<Lease>> {
    let rows = sqlx::query_file!(
        "src/saga/lease_due.sql",
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

/// Fails when an active or parked saga has a definition or a step that this version does not know.
pub async fn check_known(conn: &mut PgConnection) -> anyhow::Result<()> {
    let rows = sqlx::query!(
        "SELECT definition, step_name, min(id::text) AS id FROM sagas
         WHERE status IN ('running', 'compensating', 'parked') GROUP BY definition, step_name"
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        let step = StepId::parse(&row.step_name).ok();
        let is_known = checkout::find(&row.definition)
            .zip(step)
            .is_some_and(|(saga, step)| saga.index_of(step).is_some());
        anyhow::ensure!(
            is_known,
            "the active saga {} is at step {} of {}, which this version does not know; let the version that knows it \
             finish it first",
            row.id.unwrap_or_default(),
            row.step_name,
            row.definition,
        );
    }
    Ok(())
}
