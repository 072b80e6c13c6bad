//! Consumes domain events. A batch is one transaction that stores each event's id together with its effect, and the offset
//! is committed afterwards. So every event takes effect once. An event that cannot be processed is stored as poison and does
//! not block later events.

mod apply;
mod rebuild;
mod store;

use std::{sync::Arc, time::Duration};

use contracts::events::{Envelope, topics};
use events::{Brokers, Consumer, Handler, Namespace, Received};
use souk_http::database;
use sqlx::{Acquire as _, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, error, info, warn};

use crate::metrics;
use apply::KnownEvent;
pub use rebuild::rebuild;

/// Pause before retrying while the database is unavailable.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Processes events for one epoch. A rebuild starts a new epoch, which reads every event again.
#[derive(Debug)]
pub struct EventHandler {
    pool: PgPool,
    epoch: i32,
    /// Cancelled when a newer epoch has started.
    epoch_ended: CancellationToken,
}

/// The outcome of processing an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The event took effect.
    Done,
    /// The event was processed before.
    Duplicate,
    /// The event's type is unknown or not relevant.
    Ignored,
    /// The event cannot be processed and was stored as poison.
    Poison,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Poison => "poison",
        }
    }
}

impl EventHandler {
    /// Creates a handler for the current epoch. It cancels `epoch_ended` when it finds that the epoch has ended.
    pub async fn for_current_epoch(pool: PgPool, epoch_ended: CancellationToken) -> sqlx::Result<Self> {
        let epoch = store::epoch(&mut *pool.acquire().await?).await?;
        Ok(Self {
            pool,
            epoch,
            epoch_ended,
        })
    }

    /// The epoch's consumer group. A new group starts at the beginning of the topics.
    fn group(&self) -> String {
        match self.epoch {
            0 => "notifications".to_owned(),
            epoch => format!("notifications-{epoch}"),
        }
    }

    fn consumer(&self, brokers: &Brokers, namespace: Namespace) -> Consumer {
        Consumer::new(brokers, namespace, &self.group(), &topics::ALL)
    }

    async fn process(
        &self,
        conn: &mut PgConnection,
        received: &Received,
    ) -> sqlx::Result<(&'static str, Outcome)> {
        let event = match &received.event {
            Ok(event) => event,
            Err(malformed) => {
                store_poison(conn, received, &malformed.payload, &malformed.why).await?;
                return Ok(("none", Outcome::Poison));
            }
        };
        // Serializing cannot fail, because the event was read from JSON.
        let payload = || serde_json::to_vec(event).unwrap_or_default();
        let known = match KnownEvent::of(event) {
            Ok(Some(known)) => known,
            Ok(None) => return Ok(("other", Outcome::Ignored)),
            Err(undecodable) => {
                store_poison(conn, received, &payload(), &undecodable.cause.to_string()).await?;
                return Ok(("none", Outcome::Poison));
            }
        };
        let kind = known.kind();
        let mut savepoint = conn.begin().await?;
        match apply(&mut savepoint, event, known).await {
            Ok(outcome) => {
                savepoint.commit().await?;
                Ok((kind, outcome))
            }
            Err(error) if is_data_error(&error) => {
                savepoint.rollback().await?;
                store_poison(conn, received, &payload(), &error.to_string()).await?;
                Ok((kind, Outcome::Poison))
            }
            Err(error) => Err(error),
        }
    }
}

impl Handler for EventHandler {
    async fn handle(&self, batch: &[Received]) -> anyhow::Result<()> {
        let mut transaction = self.pool.begin().await?;
        // The lock lasts until the commit, so the epoch cannot end during the transaction.
        if store::lock_epoch(&mut transaction).await? != self.epoch {
            self.epoch_ended.cancel();
            anyhow::bail!("the epoch has ended because of a rebuild");
        }
        let mut outcomes = Vec::with_capacity(batch.len());
        for received in batch {
            let processed = self.process(&mut transaction, received);
            outcomes.push(processed.instrument(received.span()).await?);
        }
        transaction.commit().await?;
        for (kind, outcome) in outcomes {
            metrics::count_event(kind, outcome.as_str());
        }
        Ok(())
    }
}

async fn apply(conn: &mut PgConnection, event: &Envelope, known: KnownEvent) -> sqlx::Result<Outcome> {
    if !known.is_relevant() {
        return Ok(Outcome::Ignored);
    }
    if !store::mark_processed(conn, event.id).await? {
        return Ok(Outcome::Duplicate);
    }
    known.apply(conn, event).await?;
    Ok(Outcome::Done)
}

async fn store_poison(
    conn: &mut PgConnection,
    received: &Received,
    payload: &[u8],
    reason: &str,
) -> sqlx::Result<()> {
    // The consumer has already logged messages that are no events at all.
    if received.event.is_ok() {
        // The reason is not logged, because it can quote personal data.
        error!(
            topic = received.topic,
            partition = received.partition,
            offset = received.offset,
            "an event cannot be processed; storing it as poison"
        );
    }
    store::store_poison(conn, received, payload, reason).await
}

/// Whether the database rejected the event's own data: SQLSTATE classes 22 (data exception) and 23 (constraint violation).
fn is_data_error(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    !database::is_unavailable(error)
        && code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

/// Consumes events until `shutdown` is cancelled. When a rebuild starts a new epoch, it continues with that epoch's group.
pub async fn run(pool: PgPool, brokers: Brokers, namespace: Namespace, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let epoch_ended = shutdown.child_token();
        match EventHandler::for_current_epoch(pool.clone(), epoch_ended.clone()).await {
            Ok(handler) => {
                let consumer = handler.consumer(&brokers, namespace.clone());
                info!(epoch = handler.epoch, "consuming events");
                consumer.run(Arc::new(handler), epoch_ended).await;
            }
            Err(error) => {
                warn!(%error, "the database is unavailable; will retry consuming events in 1 s");
                shutdown
                    .run_until_cancelled(tokio::time::sleep(RETRY_PAUSE))
                    .await;
            }
        }
    }
}
