//! Moves messages from the broker's dead-letter queue to the table `dead_letters`, and parks the sagas that await them.

use std::sync::Arc;

use contracts::{
    CommandId, SagaId,
    saga::{Message as _, Reply, queues},
};
use messaging::{HandleError, Handler, Incoming};
use sqlx::{PgConnection, PgPool};
use tracing::error;
use uuid::Uuid;

use crate::saga::{self, Cause, Impossible, dispatch::Dispatcher};

/// Handler of the dead-letter queue: stores each message and parks its saga.
#[derive(Debug, Clone)]
pub struct DeadLetterConsumer {
    pool: PgPool,
    dispatcher: Arc<dyn Dispatcher>,
}

impl DeadLetterConsumer {
    /// Creates a consumer that stores dead letters in the database behind `pool`; parking a saga needs `dispatcher`.
    #[must_use]
    pub fn new(pool: PgPool, dispatcher: Arc<dyn Dispatcher>) -> Self {
        Self { pool, dispatcher }
    }

    /// Parks the saga that awaits the message, in the transaction that stores the dead letter. The inner error says why the
    /// saga could not be parked.
    async fn park(
        &self,
        conn: &mut PgConnection,
        message: &Incoming,
        reason: &str,
    ) -> sqlx::Result<Result<(), Impossible>> {
        let is_command = message.queue == queues::INVENTORY || message.queue == queues::PAYMENTS;
        if message.id.is_nil() || !(is_command || message.kind == Reply::KIND) {
            return Ok(Err(Impossible::NotFound));
        }
        let cause = Cause::DeadLetter {
            // A reply that cannot be decoded does not say which command it answers.
            command: if is_command {
                Some(CommandId(message.id))
            } else {
                message.decode::<Reply>().ok().map(|reply| reply.command_id)
            },
            reason: format!("dead letter {} in {}: {reason}", message.kind, message.queue)
                .replace('\0', "\u{fffd}"),
        };
        let saga = SagaId(message.correlation_id);
        let parked = saga::advance(conn, &*self.dispatcher, saga, &cause).await?;
        Ok(parked.map(drop))
    }
}

impl Handler for DeadLetterConsumer {
    async fn handle(&self, message: Incoming) -> Result<(), HandleError> {
        let reason = message.death_reason.as_deref().unwrap_or("delivered too often");
        // PostgreSQL's text type has no U+0000.
        let reason = reason.replace('\0', "\u{fffd}");
        let mut transaction = self.pool.begin().await?;
        let parked = if let Some(id) = insert(&mut transaction, &message, &reason).await? {
            let parked = self.park(&mut transaction, &message, &reason).await?;
            if matches!(parked, Err(Impossible::NotAwaited | Impossible::Ended)) {
                supersede(&mut transaction, id).await?;
            }
            parked.is_ok()
        } else {
            false
        };
        transaction.commit().await?;
        error!(
            saga_id = %message.correlation_id, kind = message.kind, queue = message.queue, reason, parked,
            "stored a dead letter"
        );
        Ok(())
    }
}

/// Inserts the dead letter and returns its id; none if an unsettled copy of the same message is stored already.
async fn insert(conn: &mut PgConnection, message: &Incoming, reason: &str) -> sqlx::Result<Option<Uuid>> {
    // PostgreSQL's text type has no U+0000.
    let clean = |text: &str| text.replace('\0', "\u{fffd}");
    sqlx::query_scalar!(
        "INSERT INTO dead_letters (id, message_id, kind, queue, correlation_id, reply_to, body, reason, attempts,
             traceparent, tracestate)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT DO NOTHING
         RETURNING id",
        Uuid::now_v7(),
        message.id,
        clean(&message.kind),
        message.queue,
        message.correlation_id,
        message.reply_to.as_deref().map(clean),
        message.body,
        reason,
        i32::try_from(message.attempt).unwrap_or(i32::MAX),
        message.trace.traceparent.as_deref().map(clean),
        message.trace.tracestate.as_deref().map(clean),
    )
    .fetch_optional(conn)
    .await
}

/// Settles a dead letter whose saga does not await it any longer.
async fn supersede(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE dead_letters
         SET settled_at = now(), settled_as = 'superseded', settled_reason = 'its saga moved on without it'
         WHERE id = $1",
        id
    )
    .execute(conn)
    .await
    .map(drop)
}
