//! Tokens in emails: issued for an account, and valid once and for a limited time.

use contracts::{MailTokenKind, MailTokens, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::token;

/// Maximum number of tokens, and thus emails, of a kind that an account gets in an hour, so that no client can flood the
/// owner's mailbox.
const MAX_PER_HOUR: i64 = 5;

/// Issues a token for an email and returns its id, or `None` if the account reached its hourly limit. The caller must have
/// locked the account.
pub(crate) async fn issue(
    connection: &mut PgConnection,
    tokens: &MailTokens,
    user: UserId,
    kind: MailTokenKind,
) -> sqlx::Result<Option<Uuid>> {
    let id = Uuid::new_v4();
    let minutes = match kind {
        MailTokenKind::Verification => 24.0 * 60.0,
        MailTokenKind::PasswordReset => 30.0,
    };
    let done = sqlx::query!(
        "INSERT INTO mail_tokens (id, user_id, kind, sha256, expires_at)
         SELECT $1, $2, $3, $4, now() + $5 * interval '1 minute'
         WHERE (SELECT count(*) FROM mail_tokens
                WHERE user_id = $2 AND kind = $3 AND created_at > now() - interval '1 hour') < $6",
        id,
        user.0,
        kind.name(),
        &token::hash(&tokens.derive(kind, id))[..],
        minutes,
        MAX_PER_HOUR
    )
    .execute(connection)
    .await?;
    Ok((done.rows_affected() == 1).then_some(id))
}

/// Redeems a token and returns its account, or `None` if the token is unknown, expired, used or replaced. The account is
/// locked first, as for every change of its tokens, so that concurrent changes wait for each other.
pub(crate) async fn redeem(
    connection: &mut PgConnection,
    text: &str,
    kind: MailTokenKind,
) -> sqlx::Result<Option<UserId>> {
    let Some(user) = find(connection, text, kind).await? else {
        return Ok(None);
    };
    sqlx::query_scalar!("SELECT id FROM users WHERE id = $1 FOR UPDATE", user.0)
        .fetch_optional(&mut *connection)
        .await?;
    let user = sqlx::query_scalar!(
        "UPDATE mail_tokens SET ended_at = now()
         WHERE sha256 = $1 AND kind = $2 AND ended_at IS NULL AND expires_at > now() RETURNING user_id",
        &token::hash(text)[..],
        kind.name()
    );
    Ok(user.fetch_optional(connection).await?.map(UserId))
}

/// Returns the account of a token if the token is valid, without redeeming it.
pub(crate) async fn find(
    connection: &mut PgConnection,
    text: &str,
    kind: MailTokenKind,
) -> sqlx::Result<Option<UserId>> {
    let user = sqlx::query_scalar!(
        "SELECT user_id FROM mail_tokens
         WHERE sha256 = $1 AND kind = $2 AND ended_at IS NULL AND expires_at > now()",
        &token::hash(text)[..],
        kind.name()
    );
    Ok(user.fetch_optional(connection).await?.map(UserId))
}

/// Invalidates the tokens of an account and kind, except the one with the id `kept`.
pub(crate) async fn invalidate(
    connection: &mut PgConnection,
    user: UserId,
    kind: MailTokenKind,
    kept: Option<Uuid>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE mail_tokens SET ended_at = now()
         WHERE user_id = $1 AND kind = $2 AND id IS DISTINCT FROM $3 AND ended_at IS NULL",
        user.0,
        kind.name(),
        kept
    )
    .execute(connection)
    .await
    .map(drop)
}
