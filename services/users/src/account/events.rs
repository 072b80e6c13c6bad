//! Domain events of accounts: recorded in the database with each change, and published to Kafka by a relay.

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

/// A change of an account, to be recorded as an event together with the account's current data.
pub(crate) enum AccountChange {
    Registered { verification_id: Option<Uuid> },
    VerificationRequested { verification_id: Uuid },
    EmailVerified,
    PasswordResetRequested { reset_id: Uuid, registered_again: bool },
    Changed,
    PasswordChanged,
    Disabled { reason: Option<String> },
    Enabled,
}

/// Records an event in the transaction that makes the change, which must have written or locked the account's row.
pub(crate) async fn record(conn: &mut PgConnection, user: UserId, change: AccountChange) -> sqlx::Result<()> {
    let event = build_event(conn, user, change).await?;
    insert(conn, user, &event).await
}

/// Records that an account was deleted because its email address was not verified in time, in the transaction of the
/// deletion. The event contains no personal data.
pub(crate) async fn record_expired(conn: &mut PgConnection, user_id: UserId) -> sqlx::Result<()> {
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

/// Builds the event of a change. Every event contains the account's data after the change.
async fn build_event(
    conn: &mut PgConnection,
    user_id: UserId,
    change: AccountChange,
) -> sqlx::Result<UserEvent> {
    let account = sqlx::query!("SELECT email, name, locale FROM users WHERE id = $1", user_id.0)
        .fetch_one(conn)
        .await?;
    let (email, name, locale) = (account.email, account.name, account.locale);
    Ok(match change {
        AccountChange::Registered { verification_id } => UserRegistered {
            user_id,
            email,
            name,
            locale,
            verification_id,
        }
        .into(),
        AccountChange::VerificationRequested { verification_id } => VerificationRequested {
            user_id,
            email,
            name,
            locale,
            verification_id,
        }
        .into(),
        AccountChange::PasswordResetRequested {
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
        AccountChange::EmailVerified => EmailVerified {
            user_id,
            email,
            name,
            locale,
        }
        .into(),
        AccountChange::Changed => UserChanged {
            user_id,
            email,
            name,
            locale,
        }
        .into(),
        AccountChange::PasswordChanged => PasswordChanged {
            user_id,
            email,
            name,
            locale,
        }
        .into(),
        AccountChange::Disabled { reason } => UserDisabled {
            user_id,
            email,
            name,
            locale,
            reason,
        }
        .into(),
        AccountChange::Enabled => UserEnabled {
            user_id,
            email,
            name,
            locale,
        }
        .into(),
    })
}

/// Deletes events older than 30 days. With `publishes_events`, only those that have been published to Kafka.
pub(crate) async fn delete_expired(conn: &mut PgConnection, publishes_events: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM user_events WHERE created_at < now() - interval '30 days'
             AND (NOT $1 OR id <= (SELECT id FROM event_cursor))",
        publishes_events
    )
    .execute(conn)
    .await
    .map(|_| ())
}
