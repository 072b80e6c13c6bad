//! `POST /v1/auth/password-reset/confirm`.

#[cfg(test)]
mod tests;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::Utc;
use contracts::{MailTokenKind, UserId};
use http::{StatusCode, header};
use serde::Deserialize;
use souk_http::{FieldError, Json, Problem, ProblemBody, detached};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{
    account::{
        self,
        events::{self, Happened},
    },
    app, cookie, device,
    email::Email,
    mail::token,
    me::api_key,
    password, session, throttle,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmPasswordReset {
    /// The token of the mail's link; works once, for 30 minutes.
    #[schema(max_length = 200)]
    token: String,
    /// The new password: 15 to 128 characters, none of the common ones.
    #[schema(format = Password, min_length = 15, max_length = 128)]
    password: String,
}

/// Replaces a forgotten password. All sessions and API keys of the account end, and its other links to replace the
/// password stop working. The address is verified by this, if it was not yet, and the browser counts as a known device
/// at its next login. A refused password does not use the token up.
#[utoipa::path(post, path = "/v1/auth/password-reset/confirm", tag = "auth", request_body = ConfirmPasswordReset, responses(
    (status = 204),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
    (status = 503, description = "Too many passwords are checked at the moment; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn confirm_password_reset(
    State(app): State<app::State>,
    Json(request): Json<ConfirmPasswordReset>,
) -> Result<Response, Problem> {
    let device = detached(async move {
        let email = email_of(&mut *app.pool.acquire().await?, &request.token).await?;
        if let Some(objection) = password::objection(&request.password, email.as_str()) {
            return Err(Problem::invalid(vec![FieldError::new("/password", objection)]));
        }
        let hash = app.passwords.hash(request.password).await?;
        let mut transaction = app.pool.begin().await?;
        // Of two that use the same token, one is too late.
        let user = token::spend(&mut transaction, &request.token, MailTokenKind::PasswordReset).await?;
        let user = user.ok_or_else(refused)?;
        replace_password(&mut transaction, user, &hash).await?;
        throttle::forget_account(&mut transaction, &email).await?;
        let device = device::remember(&mut transaction, user, None).await?;
        transaction.commit().await?;
        Ok(device)
    })
    .await?;
    let cookie = [(header::SET_COOKIE, cookie::set_device(&device)?)];
    Ok((StatusCode::NO_CONTENT, cookie).into_response())
}

fn refused() -> Problem {
    Problem::invalid(vec![FieldError::new("/token", "is not valid, or no longer")])
}

/// The address of the account that the token was issued for.
async fn email_of(connection: &mut PgConnection, text: &str) -> Result<Email, Problem> {
    let user = token::find(connection, text, MailTokenKind::PasswordReset).await?;
    let account = match user {
        Some(user) => account::find(connection, user).await?,
        None => None,
    };
    let account = account.filter(|account| !account.disabled).ok_or_else(refused)?;
    Email::parse(&account.profile.email).ok_or_else(|| Problem::internal("a stored address is none"))
}

/// Sets the password and ends everything that the former one, or whoever knew it, has started.
async fn replace_password(connection: &mut PgConnection, user: UserId, hash: &str) -> Result<(), Problem> {
    let before = sqlx::query_scalar!(
        r#"SELECT verified_at IS NOT NULL AS "verified!" FROM users
           WHERE id = $1 AND disabled_at IS NULL"#,
        user.0
    )
    .fetch_optional(&mut *connection)
    .await?;
    let was_verified = before.ok_or_else(refused)?;
    sqlx::query!(
        "UPDATE users SET password_hash = $2, verified_at = coalesce(verified_at, now()), updated_at = now()
         WHERE id = $1",
        user.0,
        hash
    )
    .execute(&mut *connection)
    .await?;
    for kind in [MailTokenKind::PasswordReset, MailTokenKind::Verification] {
        token::end(connection, user, kind, None).await?;
    }
    session::end_all(connection, user, None, "password reset", Utc::now()).await?;
    api_key::end_all(connection, user).await?;
    device::forget_all(connection, user).await?;
    if !was_verified {
        events::tell(connection, user, Happened::EmailVerified).await?;
    }
    events::tell(connection, user, Happened::PasswordChanged).await?;
    Ok(())
}
