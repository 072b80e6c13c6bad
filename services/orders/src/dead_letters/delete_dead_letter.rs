//! `DELETE /v1/admin/dead-letters/{id}`: it will not be sent again. The entry is kept with who decided so, and why.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use souk_http::{Path, Problem, ProblemBody, Query, auth::Admin};
use utoipa::IntoParams;
use uuid::Uuid;

use super::NO_REASON;
use crate::{App, error::Error, text};

/// Why.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeleteDeadLetter {
    /// For the log, 1 to 500 characters.
    pub(super) reason: Option<String>,
}

/// Delete a dead letter
#[utoipa::path(delete, path = "/v1/admin/dead-letters/{id}", tag = "operators", security(("bearer" = [])),
    params(("id" = Uuid, Path), DeleteDeadLetter),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn delete_dead_letter(
    State(app): State<App>,
    Admin(claims): Admin,
    Path(id): Path<Uuid>,
    Query(query): Query<DeleteDeadLetter>,
) -> Result<StatusCode, Problem> {
    let reason = query
        .reason
        .map(|reason| text::checked("/reason", &reason, 500))
        .transpose()?;
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        let done = sqlx::query!(
            "UPDATE dead_letters SET settled_at = now(), settled_as = 'deleted', settled_by = $2, settled_reason = $3
             WHERE id = $1 AND settled_at IS NULL",
            id,
            claims.sub.0,
            reason.as_deref().unwrap_or(NO_REASON)
        )
        .execute(&mut *conn)
        .await?;
        if done.rows_affected() == 0 {
            return Err(Error::NotFound("dead letter").into());
        }
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
