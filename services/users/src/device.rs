//! Known devices: browsers in which the owner of an account has logged in before. A cookie identifies them at the next
//! login, whose failures then count for that browser alone. The cookie does not replace the password.

use contracts::UserId;
use sqlx::PgConnection;

use crate::{
    email::Email,
    token::{self, Token},
};

const PREFIX: &str = "souk_dt_";
/// Maximum number of known devices of an account. Beyond that, the least recently used one is deleted.
const MAX_DEVICES: i64 = 20;

/// Returns the hash of the token `text` if it identifies a known device of the account with this email address.
pub(crate) async fn find(
    connection: &mut PgConnection,
    email: &Email,
    text: &str,
) -> sqlx::Result<Option<[u8; 32]>> {
    let sha256 = token::hash(text);
    let found = sqlx::query_scalar!(
        r#"SELECT true AS "known!" FROM known_devices d JOIN users u ON u.id = d.user_id
           WHERE d.sha256 = $1 AND u.email = $2 AND d.last_used_at > now() - interval '180 days'"#,
        &sha256[..],
        email.as_str()
    );
    Ok(found.fetch_optional(connection).await?.map(|_| sha256))
}

/// Records the browser of a successful login as a known device and returns its token: `text` if that is already known,
/// otherwise a new one.
pub(crate) async fn remember(
    connection: &mut PgConnection,
    user: UserId,
    text: Option<&str>,
) -> sqlx::Result<String> {
    if let Some(text) = text {
        let known = sqlx::query!(
            "UPDATE known_devices SET last_used_at = now() WHERE sha256 = $1 AND user_id = $2",
            &token::hash(text)[..],
            user.0
        );
        if known.execute(&mut *connection).await?.rows_affected() == 1 {
            return Ok(text.to_owned());
        }
    }
    let token = Token::generate(PREFIX);
    sqlx::query!(
        "INSERT INTO known_devices (sha256, user_id) VALUES ($1, $2)",
        &token.sha256[..],
        user.0
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "DELETE FROM known_devices WHERE sha256 IN (
             SELECT sha256 FROM known_devices WHERE user_id = $1 ORDER BY last_used_at DESC, sha256 OFFSET $2)",
        user.0,
        MAX_DEVICES
    )
    .execute(connection)
    .await?;
    Ok(token.text)
}

/// Deletes all known devices of an account.
pub(crate) async fn delete_all(connection: &mut PgConnection, user: UserId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM known_devices WHERE user_id = $1", user.0)
        .execute(connection)
        .await
        .map(drop)
}
