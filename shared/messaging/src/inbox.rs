//! The inbox ensures that a message takes effect only once. Its row is written in the transaction of the effect, and a
//! duplicate gets the stored reply again (the Idempotent Receiver pattern of Hohpe and Woolf).
//!
//! The table is part of each service's database, so its SQL is checked at run time, not at compile time:
//!
//! ```sql
//! CREATE TABLE inbox (
//!     message_id  uuid PRIMARY KEY,
//!     body_sha256 bytea NOT NULL,
//!     reply       jsonb,
//!     received_at timestamptz NOT NULL DEFAULT now()
//! );
//! ```

use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

use crate::{Incoming, Outgoing, metrics::DUPLICATES};

/// The result of looking up a message in the inbox.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// The message is new, and its row has been inserted.
    New,
    /// The message was already processed.
    Duplicate {
        /// The reply to the first delivery, if there was one.
        reply: Option<Outgoing>,
    },
    /// The same id was used with a different body, which is a bug of the sender.
    Conflict,
}

/// Inserts a message into the inbox. If a concurrent transaction has inserted the same message, waits until it has ended.
pub async fn begin(conn: &mut PgConnection, message: &Incoming) -> sqlx::Result<Seen> {
    let hash = message.body_sha256();
    let inserted =
        sqlx::query("INSERT INTO inbox (message_id, body_sha256) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(message.id)
            .bind(&hash[..])
            .execute(&mut *conn)
            .await?;
    if inserted.rows_affected() == 1 {
        return Ok(Seen::New);
    }
    let (stored, reply): (Vec<u8>, Option<Json<Outgoing>>) =
        sqlx::query_as("SELECT body_sha256, reply FROM inbox WHERE message_id = $1")
            .bind(message.id)
            .fetch_one(conn)
            .await?;
    Ok(if stored == hash {
        DUPLICATES.of([]).inc();
        Seen::Duplicate {
            reply: reply.map(|Json(reply)| reply),
        }
    } else {
        Seen::Conflict
    })
}

/// Replies to a message: stores the reply for duplicates and inserts it into the outbox, in one statement.
pub async fn answer(conn: &mut PgConnection, message_id: Uuid, reply: &Outgoing) -> sqlx::Result<()> {
    sqlx::query(
        "WITH kept AS (UPDATE inbox SET reply = $2 WHERE message_id = $1)
         INSERT INTO outbox (message_id, aggregate_id, kind, queue, correlation_id, reply_to, body, traceparent, tracestate)
         VALUES ($3, $4, $5, $6, $4, $7, $8, $9, $10)",
    )
    .bind(message_id)
    .bind(Json(reply))
    .bind(reply.id)
    .bind(reply.correlation_id)
    .bind(&reply.kind)
    .bind(&reply.queue)
    .bind(&reply.reply_to)
    .bind(&reply.body)
    .bind(&reply.trace.traceparent)
    .bind(&reply.trace.tracestate)
    .execute(conn)
    .await?;
    Ok(())
}

/// How many days a message is remembered, which is far longer than the broker redelivers it.
const RETENTION_DAYS: i32 = 30;

/// Deletes messages that were received more than 30 days ago. Run it periodically.
pub async fn delete_expired(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM inbox WHERE received_at < now() - make_interval(days => $1)")
        .bind(RETENTION_DAYS)
        .execute(pool)
        .await
        .map(drop)
}
