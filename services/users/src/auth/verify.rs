//! `POST /v1/auth/verify`.

use axum::extract::State;
use contracts::UserId;
use http::StatusCode;
use serde::Deserialize;
use souk_http::{FieldError, Json, Problem, ProblemBody, detached};
use sqlx::PgPool;
use utoipa::ToSchema;

use crate::{
    account::events::{self, Happened},
    token,
};

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
    let sha256 = token::hash(&request.token);
    detached(async move {
        let mut transaction = pool.begin().await?;
        // One statement, so that of two who come with the same token one is late.
        let verified = sqlx::query_scalar!(
            "WITH spent AS (DELETE FROM verification_tokens WHERE sha256 = $1 RETURNING user_id, expires_at)
             UPDATE users SET verified_at = now(), updated_at = now() FROM spent
             WHERE users.id = spent.user_id AND spent.expires_at > now() RETURNING users.id",
            &sha256[..]
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(id) = verified else {
            return Err(Problem::invalid(vec![FieldError::new(
                "/token",
                "is not valid, or no longer",
            )]));
        };
        events::tell(&mut transaction, UserId(id), Happened::EmailVerified).await?;
        transaction.commit().await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
