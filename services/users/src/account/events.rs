//! The log of what happened to accounts, which is told on Kafka.

#[cfg(test)]
mod tests;

use contracts::{
    UserId,
    events::{
        DomainEvent as _, EmailVerified, PasswordChanged, PasswordResetRequested, UserChanged, UserDisabled,
        UserEnabled, UserEvent, UserRegistered, VerificationExpired, VerificationRequested,
    },
};
use sqlx::PgConnection;
use telemetry::TraceContext;
use uuid::Uuid;

/// What happened. Whose account it is and how to reach them is added when it is told.
pub(crate) enum Happened {
    Registered { verification_id: Option<Uuid> },
    VerificationRequested { verification_id: Uuid },
    EmailVerified,
    PasswordResetRequested { reset_id: Uuid, registered_again: bool },
    Changed,
    PasswordChanged,
    Disabled { reason: Option<String> },
    Enabled,
}

/// Notes what happened to an account, in the transaction of the change, which has written or locked its row before.
pub(crate) async fn tell(conn: &mut PgConnection, user: UserId, happened: Happened) -> sqlx::Result<()> {
    let event = complete(conn, user, happened).await?;
    insert(conn, user, &event).await
}

/// Notes that an account was deleted because its address was not verified in time, in the transaction of the deletion.
/// Nothing about its owner stays in its last event.
pub(crate) async fn tell_expired(conn: &mut PgConnection, user_id: UserId) -> sqlx::Result<()> {
    let expired = VerificationExpired {
        user_id,
        email: String::new(),
        name: String::new(),
        locale: None,
    };
    insert(conn, user_id, &expired.into()).await
}

async fn insert(conn: &mut PgConnection, user: UserId, event: &UserEvent) -> sqlx::Result<()> {
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
        Happened::Registered { verification_id } => UserRegistered {
            user_id,
            email,
            name,
            locale,
            verification_id,
        }
        .into(),
        Happened::VerificationRequested { verification_id } => VerificationRequested {
            user_id,
            email,
            name,
            locale,
            verification_id,
        }
        .into(),
        Happened::PasswordResetRequested {
            reset_id,
            registered_again,
        } => PasswordResetRequested {
            user_id,
            email,
            name,
            locale,
            reset_id,
            registered_again,
        }
        .into(),
        Happened::EmailVerified => EmailVerified {
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
