//! Failed logins of an account, wherever they come from. The fifth in a row closes it for a minute, each further one
//! twice as long up to a quarter of an hour; a good login, or a day without one, forgets them (ASVS 5 V6.3).

use chrono::{DateTime, Utc};
use http::StatusCode;
use souk_http::Problem;
use sqlx::PgConnection;

use crate::{email::Email, token};

/// 429 while the account is closed.
pub(crate) async fn check(connection: &mut PgConnection, email: &Email) -> Result<(), Problem> {
    let blocked_until: Option<DateTime<Utc>> = sqlx::query_scalar!(
        "SELECT blocked_until FROM login_failures WHERE email_sha256 = $1 AND blocked_until > now()",
        &token::hash(email.as_str())[..]
    )
    .fetch_optional(connection)
    .await?
    .flatten();
    match blocked_until {
        None => Ok(()),
        Some(until) => Err(too_many(until)),
    }
}

/// Counts a failure. It is answered as such; the next attempt finds the account closed, if this one closed it.
pub(crate) async fn fail(connection: &mut PgConnection, email: &Email) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO login_failures AS f (email_sha256, failures, last_at) VALUES ($1, 1, now())
         ON CONFLICT (email_sha256) DO UPDATE SET
             failures = CASE WHEN f.last_at < now() - interval '1 day' THEN 1 ELSE least(f.failures + 1, 1000) END,
             last_at = now(),
             blocked_until = CASE WHEN f.last_at >= now() - interval '1 day' AND f.failures >= 4
                 THEN now() + least(interval '15 minutes', interval '1 minute' * 2 ^ least(f.failures - 4, 10)) END",
        &token::hash(email.as_str())[..]
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Forgets the failures.
pub(crate) async fn forget(connection: &mut PgConnection, email: &Email) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM login_failures WHERE email_sha256 = $1",
        &token::hash(email.as_str())[..]
    )
    .execute(connection)
    .await
    .map(|_| ())
}

fn too_many(until: DateTime<Utc>) -> Problem {
    let seconds = (until - Utc::now()).num_seconds().max(0).unsigned_abs() + 1;
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too-many-failed-logins",
        "There were too many failed logins for this account. Wait before the next.",
    )
    .retry_after(seconds)
}
