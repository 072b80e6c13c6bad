//! A saga as people see it: the log folded into one line a step and direction.

use chrono::{DateTime, Utc};
use contracts::{CommandId, OrderId, SagaId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use telemetry::TraceContext;
use utoipa::ToSchema;

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
    /// A saga for each return whose refund has begun, in the order of the order's `returns`; its id is the return's.
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

/// One entry of the log.
#[derive(Debug, Deserialize)]
struct Logged {
    step: String,
    direction: String,
    command_id: Option<CommandId>,
    outcome: String,
    reason: Option<String>,
    detail: Option<String>,
    actor: Option<UserId>,
    at: DateTime<Utc>,
}

impl From<Document> for SagaView {
    fn from(document: Document) -> Self {
        let saga = checkout::ALL
            .into_iter()
            .find(|saga| saga.name == document.definition);
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
    /// The sagas of one order, of which the checkout comes first. None when there is no checkout.
    pub(crate) fn of(documents: impl IntoIterator<Item = Document>) -> Option<Self> {
        let mut sagas = documents.into_iter().map(SagaView::from);
        let checkout = sagas.next()?;
        Some(Self {
            checkout,
            returns: sagas.collect(),
        })
    }
}

/// The sagas of an order, if it exists and, where an owner is given, belongs to that user. One round trip.
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

/// The saga of this id.
pub async fn find(conn: &mut PgConnection, id: SagaId) -> sqlx::Result<Option<SagaView>> {
    let document = sqlx::query_scalar!(
        r#"SELECT document AS "document!: Json<Document>" FROM saga_documents WHERE id = $1"#,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(document.map(|Json(document)| document.into()))
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
        self.command_id = entry.command_id.or(self.command_id);
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
            self.actor = entry.actor;
        }
    }
}
