//! The rows of mails, and of addresses.

use std::time::Duration;

use contracts::{UserId, events::Envelope};
use sqlx::{PgConnection, types::Json};
use telemetry::TraceContext;
use uuid::Uuid;

use super::{Content, Recipient};

/// A mail to be sent now.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) content: Json<Content>,
    traceparent: Option<String>,
    tracestate: Option<String>,
    /// In seconds.
    age: f64,
    email: String,
    name: String,
    locale: Option<String>,
}

impl Due {
    pub(super) fn recipient(&self) -> Recipient {
        Recipient {
            email: self.email.clone(),
            name: self.name.clone(),
            locale: self.locale.clone(),
        }
    }

    /// Where it was written, in the trace of what it tells of.
    pub(super) fn trace(&self) -> TraceContext {
        TraceContext {
            traceparent: self.traceparent.clone(),
            tracestate: self.tracestate.clone(),
        }
    }

    /// How long ago it was written.
    pub(super) fn age(&self) -> Duration {
        Duration::try_from_secs_f64(self.age).unwrap_or_default()
    }
}

/// Writes a mail, unless the event is older than a day: then it is news no more, and stands on the list. So a log that is
/// read again sends nothing again: the mails of a day are known by their ids, and older events make none.
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

/// Keeps where mail for the user goes, unless something newer is known.
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

/// Forgets an account that was deleted: its address, and the mails that wait for it.
pub(crate) async fn forget_recipient(
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

/// Takes what is due and has an address. Whoever took it has half a minute; then it is due again, later each time.
pub(super) async fn claim(conn: &mut PgConnection) -> sqlx::Result<Vec<Due>> {
    sqlx::query_as!(
        Due,
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

/// It is sent, or never will be. What it said is forgotten.
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

/// How many wait, and for how many seconds the oldest has.
pub(super) async fn waiting(conn: &mut PgConnection) -> sqlx::Result<(i64, f64)> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "count!", coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS "oldest!"
           FROM mails WHERE status = 'unsent'"#
    )
    .fetch_one(conn)
    .await?;
    Ok((row.count, row.oldest))
}
