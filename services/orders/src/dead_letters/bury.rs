//! From the broker's dead letters into the table, where operators find them.

use contracts::SagaId;
use messaging::{HandleError, Handler, Incoming};
use sqlx::{PgConnection, PgPool};
use tracing::error;
use uuid::Uuid;

use crate::saga::store;

/// Keeps dead letters.
#[derive(Debug, Clone)]
pub struct Undertaker {
    pool: PgPool,
}

impl Undertaker {
    /// Over the orders database.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

impl Handler for Undertaker {
    async fn handle(&self, message: Incoming) -> Result<(), HandleError> {
        let reason = message.death_reason.as_deref().unwrap_or("delivered too often");
        // PostgreSQL's text has no U+0000, and a dead letter is the last place to stumble over one.
        let reason = reason.replace('\0', "\u{fffd}");
        let mut transaction = self.pool.begin().await?;
        bury(&mut transaction, &message, &reason).await?;
        let saga = SagaId(message.correlation_id);
        let parked = format!("dead letter {} in {}: {reason}", message.kind, message.queue);
        let parked = store::park(&mut transaction, saga, &parked.replace('\0', "\u{fffd}")).await?;
        transaction.commit().await?;
        error!(saga_id = %saga, kind = message.kind, queue = message.queue, reason, parked, "dead letter");
        Ok(())
    }
}

async fn bury(conn: &mut PgConnection, message: &Incoming, reason: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO dead_letters (id, message_id, kind, queue, correlation_id, reply_to, body, reason, attempts,
             traceparent, tracestate)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT DO NOTHING",
        Uuid::now_v7(),
        message.id,
        message.kind.replace('\0', "\u{fffd}"),
        message.queue,
        message.correlation_id,
        message.reply_to,
        message.body,
        reason,
        i32::try_from(message.attempt).unwrap_or(i32::MAX),
        message.trace.traceparent,
        message.trace.tracestate,
    )
    .execute(conn)
    .await
    .map(|_| ())
}
