//! `POST /v1/auth/verification-mail` and `POST /v1/auth/password-reset`: request an email.

use axum::extract::State;
use contracts::MailTokenKind;
use http::StatusCode;
use serde::Deserialize;
use souk_http::{Json, Problem, ProblemBody, detached};
use sqlx::PgPool;
use utoipa::ToSchema;

use super::register::Accepted;
use crate::{
    email::{self, Email},
    error::Error,
    mail::requests,
};

/// The address to which an email is sent, if it belongs to an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailRequest {
    /// Email address of the account. Case and surrounding white space are ignored.
    #[schema(
        example = "ada@example.com",
        format = "email",
        max_length = 254,
        pattern = r#"^[^\s@,;<>()"\\]{1,64}@[^\s@,;<>()"\\]+\.[^\s@,;<>()"\\]+$"#
    )]
    email: String,
}

/// Request a verification email
///
/// Sends another email with a verification link, if an account with this address is not verified yet. The response and its
/// timing are the same whether or not there is such an account. An account gets at most five of these emails in an hour;
/// further requests are accepted but send none.
#[utoipa::path(post, path = "/v1/auth/verification-mail", tag = "auth", request_body = MailRequest, responses(
    (status = 202, description = "The request is accepted", body = Accepted),
    (status = 422, description = "The text is not an email address", body = ProblemBody),
))]
pub(crate) async fn request_verification_mail(
    State(pool): State<PgPool>,
    Json(request): Json<MailRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    accept(pool, &request, MailTokenKind::Verification).await
}

/// Request a password reset
///
/// Sends an email with a link to reset the password, if there is an account with this address. The link can be used once,
/// within 30 minutes. The response and its timing are the same whether or not there is such an account. An account gets at
/// most five of these emails in an hour; further requests are accepted but send none.
#[utoipa::path(post, path = "/v1/auth/password-reset", tag = "auth", request_body = MailRequest, responses(
    (status = 202, description = "The request is accepted", body = Accepted),
    (status = 422, description = "The text is not an email address", body = ProblemBody),
))]
pub(crate) async fn request_password_reset(
    State(pool): State<PgPool>,
    Json(request): Json<MailRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    accept(pool, &request, MailTokenKind::PasswordReset).await
}

async fn accept(
    pool: PgPool,
    request: &MailRequest,
    kind: MailTokenKind,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let Some(email) = Email::parse(&request.email) else {
        return Err(Error::field("/email", email::EXPECTED).into());
    };
    detached(async move {
        requests::store(&mut *pool.acquire().await?, &email, kind).await?;
        Ok((StatusCode::ACCEPTED, Json(Accepted::default())))
    })
    .await
}
