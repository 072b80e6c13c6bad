//! The inbox makes the effect of a message once: its row is written in the transaction of the effect, and a duplicate gets
//! the stored reply again (Idempotent Receiver, Hohpe and Woolf).
//!
//! The table lives in each service's own database, so its SQL is checked when it runs, not when it is compiled:
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

/// What the inbox knows of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// It came for the first time; its row is written now.
    New,
    /// It was handled before.
    Duplicate {
        /// What was answered then.
        reply: Option<Outgoing>,
    },
    /// Its id was used for another body: a fault of the sender.
    Conflict,
}

/// Enters a message. A second transaction with the same message waits here until the first has ended.
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

/// Answers a message: keeps the reply for its duplicates and puts it into the outbox, in one statement.
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

/// Far longer than the broker goes on delivering a message.
const KEPT_DAYS: i32 = 30;

/// Forgets old messages.
pub async fn forget(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM inbox WHERE received_at < now() - make_interval(days => $1)")
        .bind(KEPT_DAYS)
        .execute(pool)
        .await
        .map(drop)
}
