//! Taking in events. A batch is one transaction, in which each event's id stands beside its effect, and the offset is
//! committed after it: so an event has its effect once, and one that cannot be taken in holds up no other.

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
use apply::Known;
pub use rebuild::rebuild;

/// Between two looks at a database that is away.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes in events, for one epoch.
#[derive(Debug)]
pub struct Intake {
    pool: PgPool,
    epoch: i32,
    /// Cancelled when a new epoch has begun.
    over: CancellationToken,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Duplicate,
    /// Of a type that is not known, or not of interest.
    Ignored,
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

impl Intake {
    /// For the epoch that is now; `over` is cancelled when it has ended.
    pub async fn begin(pool: PgPool, over: CancellationToken) -> sqlx::Result<Self> {
        let epoch = store::epoch(&mut *pool.acquire().await?).await?;
        Ok(Self { pool, epoch, over })
    }

    /// The epoch's group. One that is new begins with the beginning of the log.
    fn group(&self) -> String {
        match self.epoch {
            0 => "notifications".to_owned(),
            epoch => format!("notifications-{epoch}"),
        }
    }

    fn consumer(&self, brokers: &Brokers, namespace: Namespace) -> Consumer {
        Consumer::new(brokers, namespace, &self.group(), &topics::ALL)
    }

    async fn take(
        &self,
        conn: &mut PgConnection,
        received: &Received,
    ) -> sqlx::Result<(&'static str, Outcome)> {
        let event = match &received.event {
            Ok(event) => event,
            Err(malformed) => {
                put_aside(conn, received, &malformed.payload, &malformed.why).await?;
                return Ok(("none", Outcome::Poison));
            }
        };
        // Cannot fail: it was read from JSON.
        let payload = || serde_json::to_vec(event).unwrap_or_default();
        let known = match Known::of(event) {
            Ok(Some(known)) => known,
            Ok(None) => return Ok(("other", Outcome::Ignored)),
            Err(undecodable) => {
                put_aside(conn, received, &payload(), &undecodable.cause.to_string()).await?;
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
            Err(error) if is_data(&error) => {
                savepoint.rollback().await?;
                put_aside(conn, received, &payload(), &error.to_string()).await?;
                Ok((kind, Outcome::Poison))
            }
            Err(error) => Err(error),
        }
    }
}

impl Handler for Intake {
    async fn handle(&self, batch: &[Received]) -> anyhow::Result<()> {
        let mut transaction = self.pool.begin().await?;
        // Locked until the commit: no epoch ends in the middle of this.
        if store::lock_epoch(&mut transaction).await? != self.epoch {
            self.over.cancel();
            anyhow::bail!("the log is being read anew");
        }
        let mut outcomes = Vec::with_capacity(batch.len());
        for received in batch {
            let taken = self.take(&mut transaction, received);
            outcomes.push(taken.instrument(received.span()).await?);
        }
        transaction.commit().await?;
        for (kind, outcome) in outcomes {
            metrics::event(kind, outcome.as_str());
        }
        Ok(())
    }
}

async fn apply(conn: &mut PgConnection, event: &Envelope, known: Known) -> sqlx::Result<Outcome> {
    if !known.matters() {
        return Ok(Outcome::Ignored);
    }
    if !store::remember(conn, event.id).await? {
        return Ok(Outcome::Duplicate);
    }
    known.apply(conn, event).await?;
    Ok(Outcome::Done)
}

async fn put_aside(
    conn: &mut PgConnection,
    received: &Received,
    payload: &[u8],
    reason: &str,
) -> sqlx::Result<()> {
    // Of one that is no event at all, the consumer has told.
    if received.event.is_ok() {
        // Without the reason, which can quote its data.
        error!(
            topic = received.topic,
            partition = received.partition,
            offset = received.offset,
            "an event cannot be taken in and is put aside"
        );
    }
    store::put_aside(conn, received, payload, reason).await
}

/// Whether it is the event's own data that the database cannot take: SQLSTATE classes 22 and 23.
fn is_data(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    !database::is_away(error) && code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

/// Takes in events until `shutdown`, epoch after epoch.
pub async fn run(pool: PgPool, brokers: Brokers, namespace: Namespace, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let over = shutdown.child_token();
        match Intake::begin(pool.clone(), over.clone()).await {
            Ok(intake) => {
                let consumer = intake.consumer(&brokers, namespace.clone());
                info!(epoch = intake.epoch, "taking in events");
                consumer.run(Arc::new(intake), over).await;
            }
            Err(error) => {
                warn!(%error, "events wait for the database");
                shutdown.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            }
        }
    }
}
