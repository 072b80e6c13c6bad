//! `GET /v1/admin/sagas`: lists sagas, newest first.

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

use crate::{App, saga::engine::SagaStatus};

/// Filter and page of a list of sagas.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListSagas {
    /// Return only sagas with this status.
    status: Option<SagaStatus>,
    /// Maximum number of sagas in the page, 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// The `next_cursor` of the previous page; absent for the first page.
    cursor: Option<String>,
}

/// A saga in a list, without its steps.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SagaSummary {
    /// Id of the saga. A checkout has the id of its order, the saga of a return has the id of the return.
    #[schema(value_type = SagaId)]
    pub id: Uuid,
    /// Id of the order that the saga works on.
    #[schema(value_type = OrderId)]
    pub order_id: Uuid,
    /// Kind of the saga: `checkout` or `return`.
    #[schema(example = "checkout")]
    pub definition: String,
    /// Status: `running`, `compensating`, `completed`, `compensated` or `parked`.
    #[schema(example = "parked")]
    pub status: String,
    /// Name of the current step; for a saga that has ended, of its last one.
    #[schema(example = "commit_stock")]
    pub step: String,
    /// Whether the step is performed (`do`) or undone (`undo`).
    #[schema(example = "do")]
    pub direction: String,
    /// Number of times the step's command was sent; 0 while a checkout waits because too many others are in flight.
    pub attempts: i32,
    /// Id of the command whose reply is awaited. Null if the saga has ended.
    #[schema(value_type = Option<CommandId>)]
    pub awaiting: Option<Uuid>,
    /// The last problem, such as a refusal or a missing reply.
    pub last_error: Option<String>,
    /// Reason why the saga is waiting for an operator. Null unless it is parked.
    pub parked_reason: Option<String>,
    /// Time at which the saga started.
    pub created_at: DateTime<Utc>,
    /// Time at which the saga last moved.
    pub updated_at: DateTime<Utc>,
}

/// List the sagas of all orders
///
/// Returns sagas newest first, optionally only those with one status, such as the parked ones that wait for an operator.
#[utoipa::path(get, path = "/v1/admin/sagas", tag = "operators", params(ListSagas), security(("bearer" = [])),
    responses((status = 200, description = "A page of sagas", body = Page<SagaSummary>),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 422, description = "A parameter is unknown or not valid", body = ProblemBody)))]
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
