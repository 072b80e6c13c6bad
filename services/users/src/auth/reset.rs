//! `POST /v1/auth/password-reset/confirm`: sets a new password with the token from an email.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::Utc;
use contracts::{MailTokenKind, UserId};
use http::{StatusCode, header};
use serde::Deserialize;
use souk_http::{Json, Problem, ProblemBody, detached};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{
    App,
    account::{
        self,
        events::{self, AccountChange},
    },
    cookie, device,
    email::Email,
    error::Error,
    mail::token,
    me::api_key,
    password, session, throttle,
};

/// The token from the email, and the new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmPasswordReset {
    /// The token from the link in the email. It can be used once, within 30 minutes.
    #[schema(
        pattern = "^souk_pr_[A-Za-z0-9_-]{43}$",
        example = "souk_pr_0sVn2Qf7pYx3mK9aTzR1cWd5hLg8uEjBiOoNqXvS4kw"
    )]
    token: String,
    /// The new password, 15 to 128 characters. Common passwords, short pieces that repeat (`abcabcabcabcabc`), and the email
    /// address with little added are refused.
    #[schema(format = Password, min_length = 15, max_length = 128, example = "seven kettles on a blue shelf")]
    password: String,
}

/// Reset the password
///
/// Sets a new password with the token from an email. All sessions and API keys of the account end, and its other reset links
/// become invalid. The email address counts as verified, and the browser as a known device at its next login. If the
/// password is refused, the token can still be used.
#[utoipa::path(post, path = "/v1/auth/password-reset/confirm", tag = "auth", request_body = ConfirmPasswordReset, responses(
    (status = 204, description = "The password is changed"),
    (status = 422, description = "The token is unknown, expired or used, or the password is refused", body = ProblemBody),
    (status = 503, description = "Too many passwords are being hashed; retry after the time in `Retry-After`", body = ProblemBody),
))]
pub(crate) async fn confirm_password_reset(
    State(app): State<App>,
    Json(request): Json<ConfirmPasswordReset>,
) -> Result<Response, Problem> {
    let device = detached(async move {
        let email = email_of(&mut *app.pool.acquire().await?, &request.token).await?;
        if let Some(reason) = password::rejection(&request.password, email.as_str()) {
            return Err(Error::field("/password", reason));
        }
        let hash = app.passwords.hash(request.password).await?;
        let mut transaction = app.pool.begin().await?;
        // Only one of several concurrent requests can redeem the token.
        let user = token::redeem(&mut transaction, &request.token, MailTokenKind::PasswordReset).await?;
        let user = user.ok_or_else(invalid_token)?;
        replace_password(&mut transaction, user, &hash).await?;
        throttle::reset_account(&mut transaction, &email).await?;
        let device = device::remember(&mut transaction, user, None).await?;
        transaction.commit().await?;
        Ok(device)
    })
    .await?;
    let cookie = [(header::SET_COOKIE, cookie::set_device(&device)?)];
    Ok((StatusCode::NO_CONTENT, cookie).into_response())
}

fn invalid_token() -> Error {
    Error::field("/token", "is not valid or has expired")
}

/// Returns the email address of the token's account, if the token is valid and the account enabled.
async fn email_of(connection: &mut PgConnection, text: &str) -> Result<Email, Error> {
    let user = token::find(connection, text, MailTokenKind::PasswordReset).await?;
    let account = match user {
        Some(user) => account::find(connection, user).await?,
        None => None,
    };
    let account = account
        .filter(|account| !account.disabled)
        .ok_or_else(invalid_token)?;
    Email::parse(&account.profile.email).ok_or(Error::StoredEmail)
}

/// Sets the password and revokes everything that was obtained with the previous one: sessions, API keys, known devices and
/// email tokens.
async fn replace_password(connection: &mut PgConnection, user: UserId, hash: &str) -> Result<(), Error> {
    let before = sqlx::query_scalar!(
        r#"SELECT verified_at IS NOT NULL AS "verified!" FROM users
           WHERE id = $1 AND disabled_at IS NULL"#,
        user.0
    )
    .fetch_optional(&mut *connection)
    .await?;
    let was_verified = before.ok_or_else(invalid_token)?;
    sqlx::query!(
        "UPDATE users SET password_hash = $2, verified_at = coalesce(verified_at, now()), updated_at = now()
         WHERE id = $1",
        user.0,
        hash
    )
    .execute(&mut *connection)
    .await?;
    for kind in [MailTokenKind::PasswordReset, MailTokenKind::Verification] {
        token::invalidate(connection, user, kind, None).await?;
    }
    session::end_all(connection, user, None, "password reset", Utc::now()).await?;
    api_key::delete_all(connection, user).await?;
    device::delete_all(connection, user).await?;
    if !was_verified {
        events::record(connection, user, AccountChange::EmailVerified).await?;
    }
    events::record(connection, user, AccountChange::PasswordChanged).await?;
    Ok(())
}
