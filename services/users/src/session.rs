//! Sessions: a login is a family of refresh tokens, of which one is alive. Whoever shows a used one shows that the
//! family was copied, and ends it for both (RFC 9700, section 4.14).

use chrono::{DateTime, Duration, Utc};
use contracts::UserId;
use serde::Serialize;
use souk_http::{Problem, auth::Role};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    account,
    keyring::{Holder, Keyring},
    token,
};

/// A refresh token unused for so long is dead.
const IDLE: Duration = Duration::days(14);
/// A session ends after this, however busy.
const LONGEST: Duration = Duration::days(90);
const PREFIX: &str = "souk_rt_";

/// The answer to a login.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenResponse {
    /// A JWT (RFC 9068) for `Authorization: Bearer`.
    pub(crate) access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub(crate) token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 600)]
    pub(crate) expires_in: i64,
    /// For the next access token; opaque, good once. Absent when it is in the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
}

/// A session's next pair of tokens, before the access token is signed.
pub(crate) struct Grant {
    pub(crate) user: UserId,
    pub(crate) roles: Vec<Role>,
    pub(crate) session: Uuid,
    pub(crate) refresh_token: String,
}

impl Grant {
    pub(crate) async fn sign(self, keyring: &Keyring) -> Result<TokenResponse, Problem> {
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

/// Begins a session.
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
        now + LONGEST
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

/// Demands that a session has not ended since its access token was issued, and keeps it from ending until the transaction
/// does; 401 otherwise.
pub(crate) async fn require_live(connection: &mut PgConnection, session: Uuid) -> Result<(), Problem> {
    let live = sqlx::query_scalar!(
        r#"SELECT true AS "live!" FROM sessions
           WHERE id = $1 AND revoked_at IS NULL AND expires_at > now() FOR SHARE"#,
        session
    )
    .fetch_optional(connection)
    .await?;
    match live {
        Some(_) => Ok(()),
        None => Err(Problem::unauthorized("Your session has ended. Log in again.")),
    }
}

/// What came of a refresh token.
pub(crate) enum Refreshed {
    /// The next pair.
    Granted(Grant),
    /// Unknown, expired, revoked, or of an account that may not log in.
    Refused,
    /// It was used before: the family is revoked now. Commit.
    Reused,
}

/// Uses up `text` for the next pair. The caller commits whatever comes of it.
pub(crate) async fn refresh(
    connection: &mut PgConnection,
    text: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Refreshed> {
    let sha256 = token::hash(text);
    // The session's row is the lock of the family: two refreshes of one token are one after the other.
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
        now + IDLE
    )
    .execute(connection)
    .await?;
    Ok(token.text)
}

/// Ends the session of a refresh token, used or not; an unknown one is ended already.
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

/// Ends all sessions of a user but `kept`.
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
