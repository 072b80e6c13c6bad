//! From the broker's dead letters into the table, where operators find them.

use contracts::{
    CommandId, SagaId,
    saga::{Message as _, Reply, queues},
};
use messaging::{HandleError, Handler, Incoming};
use sqlx::{PgConnection, PgPool};
use tracing::error;
use uuid::Uuid;

use super::supersede;
use crate::saga::{
    engine,
    store::{self, Live},
};

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
        let live = store::lock(&mut transaction, saga).await?;
        let mut parked = false;
        match live.map_or(Meaning::Unknown, |live| Meaning::of(&message, &live)) {
            Meaning::Awaited => {
                let why = format!("dead letter {} in {}: {reason}", message.kind, message.queue);
                parked = store::park(&mut transaction, saga, &why.replace('\0', "\u{fffd}")).await?;
            }
            Meaning::Superseded => supersede(&mut transaction, saga).await?,
            Meaning::Unknown => {}
        }
        transaction.commit().await?;
        error!(saga_id = %saga, kind = message.kind, queue = message.queue, reason, parked, "dead letter");
        Ok(())
    }
}

/// What a dead letter means for the saga that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// The saga waits for this command, or for a reply: an operator decides.
    Awaited,
    /// The saga has moved on, and needs it no more.
    Superseded,
    /// It is neither a command nor a reply, or it has no id; an operator looks at the letter itself.
    Unknown,
}

impl Meaning {
    fn of(message: &Incoming, live: &Live) -> Self {
        let is_command = message.queue == queues::INVENTORY || message.queue == queues::PAYMENTS;
        if message.id.is_nil() || !(is_command || message.kind == Reply::KIND) {
            return Self::Unknown;
        }
        let command = CommandId(message.id);
        let is_awaited = match live.at.position() {
            // A reply that cannot be read does not say which command it answers.
            Some(_) => !is_command || engine::awaits(live.saga, live.id, live.at, command),
            None => false,
        };
        if is_awaited {
            Self::Awaited
        } else {
            Self::Superseded
        }
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
