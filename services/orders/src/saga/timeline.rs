//! A saga as people see it: the log folded into one line a step and direction.

use chrono::{DateTime, Utc};
use contracts::{CommandId, OrderId, SagaId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use telemetry::TraceContext;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    checkout,
    engine::Direction,
    table::{Kind, Saga},
};

/// A saga and how it went so far.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SagaView {
    /// Its id; a checkout's is its order's.
    pub id: SagaId,
    /// Whose.
    pub order_id: OrderId,
    /// `checkout` or `return`.
    pub definition: String,
    /// `running`, `compensating`, `parked`, `completed` or `compensated`.
    #[schema(example = "completed")]
    pub status: String,
    /// Why it waits for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked_reason: Option<String>,
    /// In the order of the saga, then what was undone, in that order.
    pub steps: Vec<StepView>,
    /// The trace it began in.
    pub trace_id: Option<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it last moved.
    pub updated_at: DateTime<Utc>,
}

/// An order's checkout, and the sagas of what was sent back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OrderSagas {
    /// The checkout.
    #[serde(flatten)]
    pub checkout: SagaView,
    /// A saga for each return, in the order of `returns` of the order; its id is the return's.
    pub returns: Vec<SagaView>,
}

/// A step, done or undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepView {
    /// Which.
    pub name: String,
    /// Who performs it.
    pub service: String,
    /// `do` or `undo`.
    pub direction: String,
    /// Whether doing it is the point of no return.
    pub pivot: bool,
    /// How it stands.
    pub state: StepState,
    /// The command that asks for it, once it was sent; a step of orders' own needs none.
    pub command_id: Option<CommandId>,
    /// How often its command was sent.
    pub attempts: u32,
    /// When it was sent first.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was answered, or given up.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it was refused, given up or parked.
    pub reason: Option<String>,
    /// The same for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The operator who decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Its turn has not come.
    Pending,
    /// Its answer is awaited.
    Running,
    /// Done.
    Done,
    /// A business no.
    Refused,
    /// Given up without an answer: it may have run, so it is undone too.
    Silent,
    /// An operator decides.
    Parked,
    /// Its turn will not come.
    Skipped,
}

/// One entry of the log, as it is read.
#[derive(Debug, Clone)]
pub struct Logged {
    step: String,
    direction: String,
    command_id: Option<Uuid>,
    outcome: String,
    reason: Option<String>,
    detail: Option<String>,
    actor: Option<Uuid>,
    at: DateTime<Utc>,
}

/// The sagas of this order.
pub async fn of_order(conn: &mut PgConnection, order: OrderId) -> sqlx::Result<Option<OrderSagas>> {
    let Some(checkout) = find(conn, order.into()).await? else {
        return Ok(None);
    };
    let ids = sqlx::query_scalar!(
        "SELECT id FROM returns WHERE order_id = $1 ORDER BY created_at, id",
        order.0
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut returns = Vec::with_capacity(ids.len());
    for id in ids {
        returns.extend(find(conn, SagaId(id)).await?);
    }
    Ok(Some(OrderSagas { checkout, returns }))
}

/// The saga of this id.
pub async fn find(conn: &mut PgConnection, id: SagaId) -> sqlx::Result<Option<SagaView>> {
    let Some(row) = sqlx::query!(
        "SELECT order_id, definition, status, parked_reason, traceparent, tracestate, created_at, updated_at
         FROM sagas WHERE id = $1",
        id.0
    )
    .fetch_optional(&mut *conn)
    .await?
    else {
        return Ok(None);
    };
    let log = sqlx::query_as!(
        Logged,
        "SELECT step, direction, command_id, outcome, reason, detail, actor, at
         FROM saga_log WHERE saga_id = $1 ORDER BY seq",
        id.0
    )
    .fetch_all(conn)
    .await?;
    let saga = checkout::ALL.into_iter().find(|saga| saga.name == row.definition);
    let trace = TraceContext {
        traceparent: row.traceparent,
        tracestate: row.tracestate,
    };
    Ok(Some(SagaView {
        id,
        order_id: OrderId(row.order_id),
        steps: saga.map_or_else(Vec::new, |saga| steps(saga, &row.status, &log)),
        definition: row.definition,
        status: row.status,
        parked_reason: row.parked_reason,
        trace_id: trace.trace_id(),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }))
}

/// The log, folded.
fn steps(saga: &Saga, status: &str, log: &[Logged]) -> Vec<StepView> {
    let undoing = log
        .iter()
        .any(|entry| entry.direction == Direction::Undo.as_str())
        || status == "compensated";
    let done = saga.steps.iter().map(|step| (step, Direction::Do));
    // What will be undone: every undoable step from the first undone one back.
    let first_undone = log
        .iter()
        .find(|entry| entry.direction == Direction::Undo.as_str())
        .and_then(|entry| saga.index_of(&entry.step));
    let undone = first_undone.map_or(0..0, |last| 0..last + 1);
    let undone = saga.steps[undone]
        .iter()
        .rev()
        .map(|step| (step, Direction::Undo));
    done.chain(undone)
        .map(|(step, direction)| {
            let mut view = StepView {
                name: step.name.to_owned(),
                service: step.service().to_owned(),
                direction: direction.as_str().to_owned(),
                pivot: direction == Direction::Do && step.kind == Kind::Pivot,
                state: if undoing && direction == Direction::Do {
                    StepState::Skipped
                } else {
                    StepState::Pending
                },
                command_id: None,
                attempts: 0,
                started_at: None,
                finished_at: None,
                reason: None,
                detail: None,
                actor: None,
            };
            for entry in log {
                if entry.step == step.name && entry.direction == direction.as_str() {
                    view.hear(entry);
                }
            }
            view
        })
        .collect()
}

impl StepView {
    fn hear(&mut self, entry: &Logged) {
        self.started_at = self.started_at.or(Some(entry.at));
        self.command_id = entry.command_id.map(CommandId).or(self.command_id);
        let state = match entry.outcome.as_str() {
            "sent" => {
                self.attempts += 1;
                StepState::Running
            }
            "refused" => StepState::Refused,
            "silent" | "compensated" => StepState::Silent,
            "parked" => StepState::Parked,
            "resolved" if entry.detail.as_deref() == Some("refused") => StepState::Refused,
            "done" | "resolved" => StepState::Done,
            // Retried and redriven: the sending that follows tells.
            _ => self.state,
        };
        // A local step is done without being sent.
        self.attempts = self.attempts.max(u32::from(state == StepState::Done));
        self.finished_at = (state != StepState::Running && state != StepState::Parked).then_some(entry.at);
        self.state = state;
        if entry.outcome != "sent" {
            self.reason.clone_from(&entry.reason);
            self.detail.clone_from(&entry.detail);
            self.actor = entry.actor.map(UserId);
        }
    }
}
