//! The log of what happened to accounts, which is told on Kafka.

#[cfg(test)]
mod tests;

use contracts::{
    UserId,
    events::{
        DomainEvent as _, EmailVerified, PasswordChanged, UserChanged, UserDisabled, UserEnabled, UserEvent,
        UserRegistered, VerificationExpired,
    },
};
use sqlx::PgConnection;
use telemetry::TraceContext;

/// What happened. Whose account it is and how to reach them is added when it is told.
pub(crate) enum Happened {
    Registered { verification_token: Option<String> },
    EmailVerified,
    VerificationExpired,
    Changed,
    PasswordChanged,
    Disabled { reason: Option<String> },
    Enabled,
}

/// Notes what happened to an account, in the transaction of the change, which has written or locked its row before.
pub(crate) async fn tell(conn: &mut PgConnection, user: UserId, happened: Happened) -> sqlx::Result<()> {
    let event = complete(conn, user, happened).await?;
    let trace = TraceContext::current();
    sqlx::query!(
        "INSERT INTO user_events (user_id, type, version, data, traceparent, tracestate)
         VALUES ($1, $2, $3, $4, $5, $6)",
        user.0,
        event.kind(),
        event.version().cast_signed(),
        event.data(),
        trace.traceparent,
        trace.tracestate
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Each event has the whole of the account, as it is after the change.
async fn complete(conn: &mut PgConnection, user_id: UserId, happened: Happened) -> sqlx::Result<UserEvent> {
    let account = sqlx::query!("SELECT email, name, locale FROM users WHERE id = $1", user_id.0)
        .fetch_one(conn)
        .await?;
    let (email, name, locale) = (account.email, account.name, account.locale);
    Ok(match happened {
        Happened::Registered { verification_token } => UserRegistered {
            user_id,
            email,
            name,
            locale,
            verification_token,
        }
        .into(),
        Happened::EmailVerified => EmailVerified {
            user_id,
            email,
            name,
            locale,
        }
        .into(),
        Happened::VerificationExpired => VerificationExpired {
            user_id,
            email,
            name,
            locale,
        }
        .into(),
        Happened::Changed => UserChanged {
            user_id,
            email,
            name,
            locale,
        }
        .into(),
        Happened::PasswordChanged => PasswordChanged {
            user_id,
            email,
            name,
            locale,
        }
        .into(),
        Happened::Disabled { reason } => UserDisabled {
            user_id,
            email,
            name,
            locale,
            reason,
        }
        .into(),
        Happened::Enabled => UserEnabled {
            user_id,
            email,
            name,
            locale,
        }
        .into(),
    })
}

/// Forgets what is older than 30 days; while it `is_told` on Kafka, only what was.
pub(crate) async fn forget(conn: &mut PgConnection, is_told: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM user_events WHERE created_at < now() - interval '30 days'
             AND (NOT $1 OR id <= (SELECT id FROM event_cursor))",
        is_told
    )
    .execute(conn)
    .await
    .map(|_| ())
}
