//! Queries for mails and recipients.

use std::time::Duration;

use contracts::{UserId, events::Envelope};
use sqlx::{PgConnection, types::Json};
use telemetry::TraceContext;
use uuid::Uuid;

use super::{Content, Recipient};

/// A mail that is due, with its recipient.
#[derive(Debug)]
pub(super) struct DueMail {
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) content: Json<Content>,
    traceparent: Option<String>,
    tracestate: Option<String>,
    /// Age of the mail in seconds.
    age: f64,
    email: String,
    name: String,
    locale: Option<String>,
}

impl DueMail {
    pub(super) fn recipient(&self) -> Recipient {
        Recipient {
            email: self.email.clone(),
            name: self.name.clone(),
            locale: self.locale.clone(),
        }
    }

    /// The trace context of the event that caused the mail.
    pub(super) fn trace(&self) -> TraceContext {
        TraceContext {
            traceparent: self.traceparent.clone(),
            tracestate: self.tracestate.clone(),
        }
    }

    /// Time since the mail was created.
    pub(super) fn age(&self) -> Duration {
        Duration::try_from_secs_f64(self.age).unwrap_or_default()
    }
}

/// Creates a mail, unless the event is older than one day. So a rebuild sends no mail twice: mails of the last day are
/// recognized by their ids, and older events create none.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    event: &Envelope,
    user: UserId,
    content: &Content,
) -> sqlx::Result<()> {
    let trace = TraceContext::current();
    sqlx::query!(
        "INSERT INTO mails (id, user_id, kind, content, traceparent, tracestate)
         SELECT $1, $2, $3, $4, $5, $6 WHERE $7::timestamptz > now() - interval '1 day'
         ON CONFLICT (id) DO NOTHING",
        event.id,
        user.0,
        content.notice.kind(),
        Json(content) as _,
        trace.traceparent,
        trace.tracestate,
        event.occurred_at
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Stores the user's address, name and language, unless a newer event was stored before.
pub(crate) async fn upsert_recipient(
    conn: &mut PgConnection,
    user: UserId,
    recipient: &Recipient,
    sequence: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO recipients AS known (user_id, email, name, locale, sequence) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (user_id) DO UPDATE SET email = excluded.email, name = excluded.name, locale = excluded.locale,
             sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence",
        user.0,
        recipient.email,
        recipient.name,
        recipient.locale,
        sequence
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Deletes the address of a deleted account, and fails its mails that are not sent yet.
pub(crate) async fn delete_recipient(
    conn: &mut PgConnection,
    user: UserId,
    sequence: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM recipients WHERE user_id = $1 AND sequence < $2",
        user.0,
        sequence
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "UPDATE mails SET status = 'failed', settled_at = now(), content = NULL
         WHERE user_id = $1 AND status = 'unsent'",
        user.0
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Claims up to ten mails that are due and have an address. A claim lasts at least 30 seconds; after that the mail is due
/// again. The time grows with each attempt, up to about ten minutes.
pub(super) async fn claim(conn: &mut PgConnection) -> sqlx::Result<Vec<DueMail>> {
    sqlx::query_as!(
        DueMail,
        r#"UPDATE mails m SET attempts = attempts + 1, next_attempt_at = now() + interval '30 seconds'
               + least(interval '10 minutes', interval '1 second' * 2 ^ least(attempts, 10))
           FROM recipients r
           WHERE r.user_id = m.user_id AND m.id IN (
               SELECT d.id FROM mails d JOIN recipients USING (user_id)
               WHERE d.status = 'unsent' AND d.next_attempt_at <= now()
               ORDER BY d.next_attempt_at LIMIT 10 FOR UPDATE OF d SKIP LOCKED)
           RETURNING m.id, m.kind, m.content AS "content!: Json<Content>", m.traceparent, m.tracestate,
               extract(epoch FROM now() - m.created_at)::float8 AS "age!", r.email, r.name, r.locale"#
    )
    .fetch_all(conn)
    .await
}

/// Sets the final status of a mail, `sent` or `failed`, and deletes its content.
pub(super) async fn settle(conn: &mut PgConnection, id: Uuid, status: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE mails SET status = $2, settled_at = now(), content = NULL WHERE id = $1 AND status = 'unsent'",
        id,
        status
    )
    .execute(conn)
    .await
    .map(drop)
}

/// The number of mails that are not sent yet, and the age of the oldest in seconds.
pub(super) async fn pending(conn: &mut PgConnection) -> sqlx::Result<(i64, f64)> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "count!", coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS "oldest!"
           FROM mails WHERE status = 'unsent'"#
    )
    .fetch_one(conn)
    .await?;
    Ok((row.count, row.oldest))
}
