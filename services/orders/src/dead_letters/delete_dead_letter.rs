//! `DELETE /v1/admin/dead-letters/{id}`: settles a dead letter without sending it again. Its row stays in the table, with the
//! operator and the reason.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use souk_http::{Path, Problem, ProblemBody, Query, auth::Admin};
use utoipa::IntoParams;
use uuid::Uuid;

use super::NO_REASON;
use crate::{App, error::Error, text};

/// The operator's reason for deleting a dead letter.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeleteDeadLetter {
    /// Reason for the log: 1 to 500 characters, not counting leading and trailing white space. Optional.
    #[param(
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "A test message."
    )]
    pub(super) reason: Option<String>,
}

/// Delete a dead letter
///
/// Removes the message from the list without sending it again. The saga that awaits it stays parked; retry, resolve or
/// compensate it instead.
#[utoipa::path(delete, path = "/v1/admin/dead-letters/{id}", tag = "operators", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the dead letter"), DeleteDeadLetter),
    responses((status = 204, description = "The dead letter is deleted"),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 404, description = "There is no such dead letter, or it is settled already", body = ProblemBody),
        (status = 422, description = "The reason is not valid", body = ProblemBody)))]
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
        let result = sqlx::query!(
            "UPDATE dead_letters SET settled_at = now(), settled_as = 'deleted', settled_by = $2, settled_reason = $3
             WHERE id = $1 AND settled_at IS NULL",
            id,
            claims.sub.0,
            reason.as_deref().unwrap_or(NO_REASON)
        )
        .execute(&mut *conn)
        .await?;
        if result.rows_affected() == 0 {
            return Err(Error::NotFound("dead letter").into());
        }
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
