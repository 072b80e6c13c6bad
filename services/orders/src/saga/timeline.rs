//! The timeline of a saga as the API shows it: the log, folded into one line per step and direction.

use chrono::{DateTime, Utc};
use contracts::{CommandId, OrderId, SagaId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use telemetry::TraceContext;
use utoipa::ToSchema;

use super::{
    checkout,
    engine::Direction,
    log::LogOutcome,
    table::{Kind, Saga, StepId},
};

/// A saga and its progress.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SagaView {
    /// The saga's id. A checkout has its order's id, the saga of a return has the return's id.
    pub id: SagaId,
    /// The order that the saga works on.
    pub order_id: OrderId,
    /// The kind of saga: `checkout` or `return`.
    pub definition: String,
    /// The saga's status: `running`, `compensating`, `parked`, `completed` or `compensated`.
    #[schema(example = "completed")]
    pub status: String,
    /// Why the saga waits for an operator, if it is parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked_reason: Option<String>,
    /// The steps in the order of the saga, followed by the undone ones in the order in which they are undone.
    pub steps: Vec<StepView>,
    /// The id of the trace in which the saga was started.
    pub trace_id: Option<String>,
    /// When the saga was started.
    pub created_at: DateTime<Utc>,
    /// When the saga last moved.
    pub updated_at: DateTime<Utc>,
}

/// The checkout of an order and the sagas of its returns.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OrderSagas {
    /// The checkout of the order.
    #[serde(flatten)]
    pub checkout: SagaView,
    /// A saga for each return whose refund has started, in the order of the order's `returns`.
    pub returns: Vec<SagaView>,
}

/// A step that is performed, or undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepView {
    /// The name of the step, such as `capture_payment`.
    pub name: String,
    /// The service that performs the step.
    pub service: String,
    /// Whether the step is performed (`do`) or undone (`undo`).
    pub direction: String,
    /// Whether this step is the point of no return.
    pub pivot: bool,
    /// The state of the step.
    pub state: StepState,
    /// The id of the step's command, once it was sent; a step of orders itself has none.
    pub command_id: Option<CommandId>,
    /// How many times the command was sent.
    pub attempts: u32,
    /// When the command was sent for the first time.
    pub started_at: Option<DateTime<Utc>>,
    /// When the reply arrived, or the saga stopped waiting for it.
    pub finished_at: Option<DateTime<Utc>>,
    /// A code for why the step was refused, given up or parked, or an operator's reason.
    pub reason: Option<String>,
    /// The reason in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The operator who decided about the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
}

/// The state of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// The saga has not reached the step yet.
    Pending,
    /// The command was sent, and the saga waits for the reply.
    Running,
    /// The participant has performed the step.
    Done,
    /// The participant refused the step for a business reason.
    Refused,
    /// The saga no longer waits for a reply. The step may have been performed, so it is undone as well.
    Silent,
    /// The saga waits for an operator.
    Parked,
    /// The saga goes back and will not reach the step.
    Skipped,
}

/// A row of the view `saga_documents`.
#[derive(Debug, Deserialize)]
pub(crate) struct Document {
    id: SagaId,
    order_id: OrderId,
    definition: String,
    status: String,
    parked_reason: Option<String>,
    #[serde(flatten)]
    trace: TraceContext,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    log: Vec<Logged>,
}

/// An entry of the log, as the view returns it.
#[derive(Debug, Deserialize)]
struct Logged {
    step: StepId,
    direction: Direction,
    command_id: Option<CommandId>,
    outcome: LogOutcome,
    reason: Option<String>,
    detail: Option<String>,
    actor: Option<UserId>,
    at: DateTime<Utc>,
}

impl From<Document> for SagaView {
    fn from(document: Document) -> Self {
        let saga = checkout::find(&document.definition);
        Self {
            id: document.id,
            order_id: document.order_id,
            steps: saga.map_or_else(Vec::new, |saga| steps(saga, &document.status, &document.log)),
            definition: document.definition,
            status: document.status,
            parked_reason: document.parked_reason,
            trace_id: document.trace.trace_id(),
            created_at: document.created_at,
            updated_at: document.updated_at,
        }
    }
}

impl OrderSagas {
    /// Builds the view from the sagas of one order, the checkout first. None when there is no checkout.
    pub(crate) fn of(documents: impl IntoIterator<Item = Document>) -> Option<Self> {
        let mut sagas = documents.into_iter().map(SagaView::from);
        let checkout = sagas.next()?;
        Some(Self {
            checkout,
            returns: sagas.collect(),
        })
    }
}

/// Reads the sagas of an order; none if it does not exist or, where an owner is given, belongs to another user.
pub async fn of_order(
    conn: &mut PgConnection,
    order: OrderId,
    owner: Option<UserId>,
) -> sqlx::Result<Option<OrderSagas>> {
    let sagas = sqlx::query_scalar!(
        r#"SELECT s.document AS "document!: Json<Document>"
           FROM saga_documents s JOIN orders o ON o.id = s.order_id
           WHERE s.order_id = $1 AND ($2::uuid IS NULL OR o.user_id = $2)
           ORDER BY s.id <> s.order_id, s.created_at, s.id"#,
        order.0,
        owner.map(|owner| owner.0)
    )
    .fetch_all(conn)
    .await?;
    Ok(OrderSagas::of(sagas.into_iter().map(|Json(document)| document)))
}

/// Reads the saga with this id.
pub async fn find(conn: &mut PgConnection, id: SagaId) -> sqlx::Result<Option<SagaView>> {
    let document = sqlx::query_scalar!(
        r#"SELECT document AS "document!: Json<Document>" FROM saga_documents WHERE id = $1"#,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(document.map(|Json(document)| document.into()))
}

/// Folds the log into one view per step and direction.
fn steps(saga: &Saga, status: &str, log: &[Logged]) -> Vec<StepView> {
    let first_undone = log.iter().find(|entry| entry.direction == Direction::Undo);
    let goes_back = first_undone.is_some() || status == "compensated";
    // Everything from the first undone step back to the start is, or will be, undone.
    let undone = first_undone
        .and_then(|entry| saga.index_of(entry.step))
        .map_or(0..0, |last| 0..last + 1);
    let undone = saga.steps[undone]
        .iter()
        .rev()
        .map(|step| (step, Direction::Undo));
    let performed = saga.steps.iter().map(|step| (step, Direction::Do));
    performed
        .chain(undone)
        .map(|(step, direction)| {
            let mut view = StepView {
                name: step.id.as_str().to_owned(),
                service: step.participant.as_str().to_owned(),
                direction: direction.as_str().to_owned(),
                pivot: direction == Direction::Do && step.kind == Kind::Pivot,
                state: if goes_back && direction == Direction::Do {
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
                if entry.step == step.id && entry.direction == direction {
                    view.apply(entry);
                }
            }
            view
        })
        .collect()
}

impl StepView {
    /// Applies the next entry of the log.
    fn apply(&mut self, entry: &Logged) {
        self.started_at = self.started_at.or(Some(entry.at));
        self.command_id = entry.command_id.or(self.command_id);
        let state = match entry.outcome {
            LogOutcome::Sent => {
                self.attempts += 1;
                StepState::Running
            }
            LogOutcome::Refused => StepState::Refused,
            LogOutcome::Silent | LogOutcome::Compensated => StepState::Silent,
            LogOutcome::Parked => StepState::Parked,
            LogOutcome::Resolved if entry.detail.as_deref() == Some("refused") => StepState::Refused,
            LogOutcome::Done | LogOutcome::Resolved => StepState::Done,
            // The entry of the sent command follows.
            LogOutcome::Retried | LogOutcome::Redriven => self.state,
        };
        // A local step is done without being sent.
        self.attempts = self.attempts.max(u32::from(state == StepState::Done));
        self.finished_at = (state != StepState::Running && state != StepState::Parked).then_some(entry.at);
        self.state = state;
        if entry.outcome != LogOutcome::Sent {
            self.reason.clone_from(&entry.reason);
            self.detail.clone_from(&entry.detail);
            self.actor = entry.actor;
        }
    }
}
