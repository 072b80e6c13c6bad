//! `POST /v1/auth/verify`.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use souk_http::{FieldError, Json, Problem, ProblemBody};
use sqlx::PgPool;
use utoipa::ToSchema;

use crate::token;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyRequest {
    /// As it was mailed; good once, for a day.
    token: String,
}

/// Makes a registered account usable.
#[utoipa::path(post, path = "/v1/auth/verify", tag = "auth", request_body = VerifyRequest, responses(
    (status = 204),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn verify_account(
    State(pool): State<PgPool>,
    Json(request): Json<VerifyRequest>,
) -> Result<StatusCode, Problem> {
    // One statement, so the token cannot be spent without its effect.
    let done = sqlx::query!(
        "WITH spent AS (DELETE FROM verification_tokens WHERE sha256 = $1 RETURNING user_id, expires_at)
         UPDATE users SET verified_at = now(), updated_at = now() FROM spent
         WHERE users.id = spent.user_id AND spent.expires_at > now()",
        &token::hash(&request.token)[..]
    )
    .execute(&pool)
    .await?;
    if done.rows_affected() == 1 {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::invalid(vec![FieldError::new(
            "/token",
            "is not valid, or no longer",
        )]))
    }
}
