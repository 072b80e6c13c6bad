//! `POST /v1/auth/verify`.

use axum::extract::State;
use contracts::MailTokenKind;
use http::StatusCode;
use serde::Deserialize;
use souk_http::{FieldError, Json, Problem, ProblemBody, detached};
use sqlx::PgPool;
use utoipa::ToSchema;

use crate::{
    account::events::{self, Happened},
    mail::token,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyRequest {
    /// The token of the mail's link; works once, for a day.
    #[schema(max_length = 200)]
    token: String,
}

/// Verifies the address of a registered account, which can be used from then on. Registering the address again replaces
/// the token.
#[utoipa::path(post, path = "/v1/auth/verify", tag = "auth", request_body = VerifyRequest, responses(
    (status = 204),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn verify_account(
    State(pool): State<PgPool>,
    Json(request): Json<VerifyRequest>,
) -> Result<StatusCode, Problem> {
    detached(async move {
        let mut transaction = pool.begin().await?;
        let user = token::spend(&mut transaction, &request.token, MailTokenKind::Verification).await?;
        let Some(user) = user else {
            return Err(Problem::invalid(vec![FieldError::new(
                "/token",
                "is not valid, or no longer",
            )]));
        };
        sqlx::query!(
            "UPDATE users SET verified_at = coalesce(verified_at, now()), updated_at = now() WHERE id = $1",
            user.0
        )
        .execute(&mut *transaction)
        .await?;
        token::end(&mut transaction, user, MailTokenKind::Verification, None).await?;
        events::tell(&mut transaction, user, Happened::EmailVerified).await?;
        transaction.commit().await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
