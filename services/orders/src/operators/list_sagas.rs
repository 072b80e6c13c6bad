//! `GET /v1/admin/sagas`: newest first.

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::{CommandId, OrderId, SagaId};
use serde::{Deserialize, Serialize};
use souk_http::{
    Json, Problem, ProblemBody, Query,
    auth::Admin,
    page::{self, Limit, Page},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::App;

/// Where a saga is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SagaStatus {
    /// Going forward.
    Running,
    /// Going back.
    Compensating,
    /// Done.
    Completed,
    /// Undone.
    Compensated,
    /// Waiting for an operator.
    Parked,
}

impl SagaStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Compensating => "compensating",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
            Self::Parked => "parked",
        }
    }
}

/// Which sagas.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListSagas {
    /// Only in this status.
    status: Option<SagaStatus>,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A saga in a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SagaSummary {
    /// Its id; a checkout's is its order's.
    #[schema(value_type = SagaId)]
    pub id: Uuid,
    /// Whose.
    #[schema(value_type = OrderId)]
    pub order_id: Uuid,
    /// `checkout` or `return`.
    pub definition: String,
    /// `running`, `compensating`, `completed`, `compensated` or `parked`.
    pub status: String,
    /// The step whose answer is, or was last, awaited.
    pub step: String,
    /// `do` or `undo`.
    pub direction: String,
    /// How often its command was sent.
    pub attempts: i32,
    /// The awaited command.
    #[schema(value_type = Option<CommandId>)]
    pub awaiting: Option<Uuid>,
    /// The last that went wrong.
    pub last_error: Option<String>,
    /// Why it waits for an operator.
    pub parked_reason: Option<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it last moved.
    pub updated_at: DateTime<Utc>,
}

/// List sagas
#[utoipa::path(get, path = "/v1/admin/sagas", tag = "operators", params(ListSagas), security(("bearer" = [])),
    responses((status = 200, body = Page<SagaSummary>), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn list_sagas(
    State(app): State<App>,
    _admin: Admin,
    Query(query): Query<ListSagas>,
) -> Result<Json<Page<SagaSummary>>, Problem> {
    let before: Option<Uuid> = query.cursor.as_deref().map(page::decode).transpose()?;
    let before = before.unwrap_or(Uuid::max());
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        let limit = i64::from(query.limit.get()) + 1;
        let sagas = match query.status {
            Some(status) => {
                sqlx::query_as!(
                SagaSummary,
                "SELECT id, order_id, definition, status, step_name AS step, direction, attempts, awaiting,
                         last_error, parked_reason, created_at, updated_at
                     FROM sagas WHERE status = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                status.as_str(),
                before,
                limit
            )
                .fetch_all(&mut *conn)
                .await?
            }
            None => {
                sqlx::query_as!(
                SagaSummary,
                "SELECT id, order_id, definition, status, step_name AS step, direction, attempts, awaiting,
                         last_error, parked_reason, created_at, updated_at
                     FROM sagas WHERE id < $1 ORDER BY id DESC LIMIT $2",
                before,
                limit
            )
                .fetch_all(&mut *conn)
                .await?
            }
        };
        Ok(Json(Page::of(sagas, query.limit, |saga| saga.id)))
    })
    .await
}
