//! Sessions: each login has a chain of refresh tokens, of which only the newest is valid. The reuse of an older one shows
//! that a token was copied, so it ends the session (RFC 9700, section 4.14).

use chrono::{DateTime, Duration, Utc};
use contracts::UserId;
use serde::Serialize;
use souk_http::auth::Role;
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    account,
    error::Error,
    keyring::{Holder, Keyring},
    token,
};

/// Time after which an unused refresh token expires.
const IDLE_TIMEOUT: Duration = Duration::days(14);
/// Time after which a session ends, even if it is in use.
const MAX_LIFETIME: Duration = Duration::days(90);
const PREFIX: &str = "souk_rt_";

/// The tokens of a session, returned by a login and a refresh.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenResponse {
    /// Access token to send as `Authorization: Bearer`; a JWT (RFC 9068).
    pub(crate) access_token: String,
    /// Type of the access token, always `Bearer`.
    #[schema(example = "Bearer")]
    pub(crate) token_type: &'static str,
    /// Lifetime of the access token in seconds.
    #[schema(example = 600)]
    pub(crate) expires_in: i64,
    /// Refresh token for the next tokens, which can be used once within 14 days. Absent if it is set as a cookie.
    #[schema(example = "souk_rt_0sVn2Qf7pYx3mK9aTzR1cWd5hLg8uEjBiOoNqXvS4kw")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
}

/// A session with its new refresh token, for which an access token is to be signed.
pub(crate) struct Grant {
    pub(crate) user: UserId,
    pub(crate) roles: Vec<Role>,
    pub(crate) session: Uuid,
    pub(crate) refresh_token: String,
}

impl Grant {
    /// Signs the access token.
    pub(crate) async fn sign(self, keyring: &Keyring) -> Result<TokenResponse, Error> {
        let holder = Holder::Session(self.session);
        let (access_token, expires_in) = keyring.sign(self.user, &self.roles, holder).await?;
        Ok(TokenResponse {
            access_token,
            token_type: "Bearer",
            expires_in,
            refresh_token: Some(self.refresh_token),
        })
    }
}

/// Starts a session for an account.
pub(crate) async fn start(
    connection: &mut PgConnection,
    profile: &account::Profile,
    now: DateTime<Utc>,
) -> sqlx::Result<Grant> {
    let session = Uuid::now_v7();
    sqlx::query!(
        "INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        session,
        profile.id.0,
        now,
        now + MAX_LIFETIME
    )
    .execute(&mut *connection)
    .await?;
    Ok(Grant {
        user: profile.id,
        roles: profile.roles.clone(),
        session,
        refresh_token: add_token(connection, session, now).await?,
    })
}

/// Fails if the session has ended since its access token was issued. Otherwise locks it, so that it cannot end before
/// the transaction does.
pub(crate) async fn require_live(connection: &mut PgConnection, session: Uuid) -> Result<(), Error> {
    let live = sqlx::query_scalar!(
        r#"SELECT true AS "live!" FROM sessions
           WHERE id = $1 AND revoked_at IS NULL AND expires_at > now() FOR SHARE"#,
        session
    )
    .fetch_optional(connection)
    .await?;
    live.map(drop).ok_or(Error::SessionEnded)
}

/// The result of presenting a refresh token.
pub(crate) enum Refreshed {
    /// The token was valid; this is the next one.
    Granted(Grant),
    /// The token is unknown, expired or revoked, or its account may not log in.
    Refused,
    /// The token was used before, so the session has been revoked. The caller must commit this.
    Reused,
}

/// Exchanges the refresh token `text` for the next one. The caller must commit the transaction, whatever the result.
pub(crate) async fn refresh(
    connection: &mut PgConnection,
    text: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Refreshed> {
    let sha256 = token::hash(text);
    // Locking the session's row serializes concurrent refreshes with the same token.
    let row = sqlx::query!(
        "SELECT s.id, s.user_id, s.expires_at AS session_expires_at, s.revoked_at
         FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.sha256 = $1 FOR UPDATE OF s",
        &sha256[..]
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(session) = row.filter(|row| row.revoked_at.is_none() && row.session_expires_at > now) else {
        return Ok(Refreshed::Refused);
    };
    let token = sqlx::query!(
        "SELECT used_at, expires_at FROM refresh_tokens WHERE sha256 = $1",
        &sha256[..]
    )
    .fetch_one(&mut *connection)
    .await?;
    if token.used_at.is_some() {
        revoke(connection, session.id, "reuse of a refresh token", now).await?;
        return Ok(Refreshed::Reused);
    }
    let account = account::find(connection, session.user_id.into()).await?;
    let Some(account) = account
        .filter(account::Account::is_usable)
        .filter(|_| token.expires_at > now)
    else {
        return Ok(Refreshed::Refused);
    };
    sqlx::query!(
        "UPDATE refresh_tokens SET used_at = $2 WHERE sha256 = $1",
        &sha256[..],
        now
    )
    .execute(&mut *connection)
    .await?;
    Ok(Refreshed::Granted(Grant {
        user: account.profile.id,
        roles: account.profile.roles,
        session: session.id,
        refresh_token: add_token(connection, session.id, now).await?,
    }))
}

async fn add_token(connection: &mut PgConnection, session: Uuid, now: DateTime<Utc>) -> sqlx::Result<String> {
    let token = token::Token::generate(PREFIX);
    sqlx::query!(
        "INSERT INTO refresh_tokens (sha256, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        &token.sha256[..],
        session,
        now,
        now + IDLE_TIMEOUT
    )
    .execute(connection)
    .await?;
    Ok(token.text)
}

/// Ends the session of a refresh token, even of one that was used before. An unknown token is ignored.
pub(crate) async fn end(connection: &mut PgConnection, text: &str, now: DateTime<Utc>) -> sqlx::Result<()> {
    let session = sqlx::query_scalar!(
        "SELECT session_id FROM refresh_tokens WHERE sha256 = $1",
        &token::hash(text)[..]
    )
    .fetch_optional(&mut *connection)
    .await?;
    match session {
        Some(session) => revoke(connection, session, "logout", now).await,
        None => Ok(()),
    }
}

async fn revoke(
    connection: &mut PgConnection,
    session: Uuid,
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE sessions SET revoked_at = $3, revoked_reason = $2 WHERE id = $1 AND revoked_at IS NULL",
        session,
        reason,
        now
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Ends all sessions of a user except `kept`, and stores the reason.
pub(crate) async fn end_all(
    connection: &mut PgConnection,
    user: UserId,
    kept: Option<Uuid>,
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE sessions SET revoked_at = $4, revoked_reason = $3
         WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND revoked_at IS NULL",
        user.0,
        kept,
        reason,
        now
    )
    .execute(connection)
    .await
    .map(|_| ())
}
