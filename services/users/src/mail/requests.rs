//! Emails that were requested for an address. A request is stored and answered at once, in the same way for every address; a
//! worker looks up the account later. So neither the response nor its timing reveals whether an address is registered.

use std::{error::Error, time::Duration};

use contracts::{MailTokenKind, MailTokens, UserId};
use sqlx::{PgConnection, PgPool};
use telemetry::TraceContext;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span, warn};

use super::token;
use crate::{
    account::events::{self, AccountChange},
    email::Email,
};

/// How often the database is polled for requests.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Stores a request, unless the same one is already pending.
pub(crate) async fn store(
    connection: &mut PgConnection,
    email: &Email,
    kind: MailTokenKind,
) -> sqlx::Result<()> {
    let trace = TraceContext::current();
    sqlx::query!(
        "INSERT INTO mail_requests (email, kind, traceparent, tracestate) VALUES ($1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT mail_requests_pkey DO NOTHING",
        email.as_str(),
        kind.name(),
        trace.traceparent,
        trace.tracestate
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Handles pending requests until `shutdown`. Every replica may run it.
pub async fn run(pool: PgPool, tokens: MailTokens, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Err(error) = run_once(&pool, &tokens).await {
            warn!(
                error = &error as &dyn Error,
                "cannot handle requests for emails; will retry in 1 s"
            );
        }
        shutdown
            .run_until_cancelled(tokio::time::sleep(POLL_INTERVAL))
            .await;
    }
}

/// Handles all pending requests.
pub async fn run_once(pool: &PgPool, tokens: &MailTokens) -> sqlx::Result<()> {
    while handle_next(pool, tokens).await? {}
    Ok(())
}

/// Handles the oldest pending request; returns false if there is none.
async fn handle_next(pool: &PgPool, tokens: &MailTokens) -> sqlx::Result<bool> {
    let mut transaction = pool.begin().await?;
    let request = sqlx::query!(
        r#"DELETE FROM mail_requests WHERE (email, kind) IN (
               SELECT email, kind FROM mail_requests ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING email, kind, traceparent, tracestate, extract(epoch FROM now() - created_at)::float8 AS "age!""#
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(request) = request else {
        return Ok(false);
    };
    let trace = TraceContext {
        traceparent: request.traceparent,
        tracestate: request.tracestate,
    };
    let age = Duration::try_from_secs_f64(request.age).unwrap_or_default();
    let span = trace.follow(age, || info_span!("mail request", kind = request.kind));
    handle(&mut transaction, tokens, &request.email, &request.kind)
        .instrument(span)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

async fn handle(
    connection: &mut PgConnection,
    tokens: &MailTokens,
    email: &str,
    kind: &str,
) -> sqlx::Result<()> {
    let account = sqlx::query!(
        r#"SELECT id, verified_at IS NOT NULL AS "verified!" FROM users
           WHERE email = $1 AND disabled_at IS NULL FOR UPDATE"#,
        email
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(account) = account else {
        return Ok(());
    };
    let id = UserId(account.id);
    if kind == MailTokenKind::PasswordReset.name() {
        request_reset(connection, tokens, id, false).await
    } else if account.verified {
        Ok(())
    } else {
        request_verification(connection, tokens, id).await
    }
}

/// Requests the email that verifies the address. The caller's transaction must have locked the account.
async fn request_verification(
    connection: &mut PgConnection,
    tokens: &MailTokens,
    id: UserId,
) -> sqlx::Result<()> {
    match token::issue(connection, tokens, id, MailTokenKind::Verification).await? {
        Some(verification_id) => {
            events::record(
                connection,
                id,
                AccountChange::VerificationRequested { verification_id },
            )
            .await
        }
        None => Ok(()),
    }
}

/// Requests the email with the link to reset the password. The caller's transaction must have locked the account.
/// `registered_again` says that someone tried to register the address once more.
pub(crate) async fn request_reset(
    connection: &mut PgConnection,
    tokens: &MailTokens,
    id: UserId,
    registered_again: bool,
) -> sqlx::Result<()> {
    match token::issue(connection, tokens, id, MailTokenKind::PasswordReset).await? {
        Some(reset_id) => {
            let requested = AccountChange::PasswordResetRequested {
                reset_id,
                registered_again,
            };
            events::record(connection, id, requested).await
        }
        None => Ok(()),
    }
}
