//! `PUT /v1/users/me/password`: changes the caller's password.

use axum::extract::State;
use chrono::Utc;
use http::StatusCode;
use serde::Deserialize;
use souk_http::{Json, Problem, ProblemBody, auth::Session, detached};
use sqlx::{Connection, PgConnection};
use utoipa::ToSchema;

use crate::{
    App,
    account::{
        self, Account,
        events::{self, AccountChange},
    },
    email::Email,
    error::Error,
    me::api_key,
    password, session,
    throttle::{self, Source},
};

/// The current and the new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutPassword {
    /// The current password of the account.
    #[schema(format = Password, example = "demo-password-souk")]
    current_password: String,
    /// The new password, 15 to 128 characters. Common passwords, short pieces that repeat (`abcabcabcabcabc`), and the email
    /// address with little added are refused.
    #[schema(format = Password, min_length = 15, max_length = 128, example = "seven kettles on a blue shelf")]
    new_password: String,
    /// True to keep the account's API keys; otherwise all of them are deleted. Default: false.
    #[serde(default)]
    keep_api_keys: bool,
}

/// Change my password
///
/// Sets a new password after verifying the current one. All other sessions end, and all API keys are deleted unless the request
/// keeps them. Wrong current passwords are throttled like failed logins, but only for this session. API keys cannot be used
/// for this.
#[utoipa::path(put, path = "/v1/users/me/password", tag = "account", security(("bearer" = [])), request_body = PutPassword, responses(
    (status = 204, description = "The password is changed"),
    (status = 401, description = "The access token is missing or not valid, or its session has ended", body = ProblemBody),
    (status = 403, description = "The request uses an API key; this requires a login", body = ProblemBody),
    (status = 404, description = "The account does not exist any more", body = ProblemBody),
    (status = 422, description = "The current password is wrong, or the new one is refused", body = ProblemBody),
    (status = 429, description = "Too many wrong passwords; retry after the time in `Retry-After`", body = ProblemBody),
    (status = 503, description = "Too many passwords are being verified; retry after the time in `Retry-After`", body = ProblemBody),
))]
pub(crate) async fn put_password(
    State(app): State<App>,
    Session { claims, id }: Session,
    Json(request): Json<PutPassword>,
) -> Result<StatusCode, Problem> {
    let source = Source::Session(id);
    detached(async move {
        let permit = app.passwords.acquire().await?;
        let (account, email) = {
            let mut connection = app.pool.acquire().await?;
            let account = account::find(&mut connection, claims.sub).await?;
            let account = account.ok_or(Error::NotFound("account"))?;
            let email = Email::parse(&account.profile.email).ok_or(Error::StoredEmail)?;
            throttle::count_attempt(&mut connection, &email, source).await?;
            (account, email)
        };
        let matches = permit
            .verify(request.current_password, Some(account.password_hash.clone()))
            .await?;
        // Hashing the new password acquires a permit of its own.
        drop(permit);
        if !matches {
            return Err(wrong_password().into());
        }
        throttle::reset(&mut *app.pool.acquire().await?, &email, source).await?;
        if let Some(reason) = password::rejection(&request.new_password, email.as_str()) {
            return Err(Error::field("/new_password", reason).into());
        }
        let hash = app.passwords.hash(request.new_password).await?;
        let mut connection = app.pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        // Since the current password was verified, it may have been changed or the session may have ended.
        if !replace_password(&mut transaction, &account, &hash).await? {
            return Err(wrong_password().into());
        }
        session::require_live(&mut transaction, id).await?;
        session::end_all(&mut transaction, claims.sub, Some(id), "new password", Utc::now()).await?;
        if !request.keep_api_keys {
            api_key::delete_all(&mut transaction, claims.sub).await?;
        }
        events::record(&mut transaction, claims.sub, AccountChange::PasswordChanged).await?;
        transaction.commit().await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn wrong_password() -> Error {
    Error::field("/current_password", "is not your password")
}

/// Sets the new password; returns false if the account no longer has the password that was verified.
async fn replace_password(
    connection: &mut PgConnection,
    account: &Account,
    hash: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE users SET password_hash = $3, updated_at = now() WHERE id = $1 AND password_hash = $2",
        account.profile.id.0,
        account.password_hash,
        hash
    );
    Ok(done.execute(connection).await?.rows_affected() == 1)
}
