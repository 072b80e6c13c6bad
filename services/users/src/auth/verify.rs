//! `POST /v1/auth/verify`: verifies an email address.

use axum::extract::State;
use contracts::MailTokenKind;
use http::StatusCode;
use serde::Deserialize;
use souk_http::{Json, Problem, ProblemBody, detached};
use sqlx::PgPool;
use utoipa::ToSchema;

use crate::{
    account::events::{self, AccountChange},
    error::Error,
    mail::token,
};

/// The token that proves that an email arrived.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyRequest {
    /// The token from the link in the email. It can be used once, within 24 hours.
    #[schema(
        pattern = "^souk_vt_[A-Za-z0-9_-]{43}$",
        example = "souk_vt_0sVn2Qf7pYx3mK9aTzR1cWd5hLg8uEjBiOoNqXvS4kw"
    )]
    token: String,
}

/// Verify an email address
///
/// Verifies the email address of a registered account with the token that was sent to it. The owner can log in from then on.
/// Registering the address again invalidates earlier tokens.
#[utoipa::path(post, path = "/v1/auth/verify", tag = "auth", request_body = VerifyRequest, responses(
    (status = 204, description = "The address is verified"),
    (status = 422, description = "The token is unknown, expired, used or replaced by a newer one", body = ProblemBody),
))]
pub(crate) async fn verify_account(
    State(pool): State<PgPool>,
    Json(request): Json<VerifyRequest>,
) -> Result<StatusCode, Problem> {
    detached(async move {
        let mut transaction = pool.begin().await?;
        let user = token::redeem(&mut transaction, &request.token, MailTokenKind::Verification).await?;
        let Some(user) = user else {
            return Err(Error::field("/token", "is not valid or has expired").into());
        };
        sqlx::query!(
            "UPDATE users SET verified_at = coalesce(verified_at, now()), updated_at = now() WHERE id = $1",
            user.0
        )
        .execute(&mut *transaction)
        .await?;
        token::invalidate(&mut transaction, user, MailTokenKind::Verification, None).await?;
        events::record(&mut transaction, user, AccountChange::EmailVerified).await?;
        transaction.commit().await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
