//! Who moves the sagas: replies as they come in, and timers for what does not come. Any number of orchestrators run side
//! by side; a saga's row lock, its lease and its epoch keep them apart.

use std::time::Duration;

use contracts::{
    SagaId,
    saga::{Message as _, Outcome, PaymentRefunded, Reply},
};
use messaging::{HandleError, Handler, Incoming, Outbox, Poison};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, info_span, warn};

use super::{
    engine::{self, At, Heard},
    proceed::{Move, proceed},
    store::{self, Lease, Live},
};
use crate::{
    faults::{Fault, Faults},
    orders,
};

/// Between two looks for sagas that are due; the shortest resend is 0.8 s.
const TICK: Duration = Duration::from_millis(250);
/// Sagas leased at once.
const BATCH: i64 = 64;

/// Moves sagas.
#[derive(Debug, Clone)]
pub struct Orchestrator {
    pool: PgPool,
    outbox: Outbox,
    faults: Faults,
}

impl Handler for Orchestrator {
    const KINDS: &'static [&'static str] = &[Reply::KIND, PaymentRefunded::KIND];

    async fn handle(&self, message: Incoming) -> Result<(), HandleError> {
        match message.kind.as_str() {
            // The resend of its command brings it again.
            Reply::KIND if self.faults.has(Fault::RepliesLost) => {
                warn!(saga_id = %message.correlation_id, "a fault switch loses a reply");
            }
            Reply::KIND => {
                let reply = message.decode::<Reply>()?;
                self.on_reply(SagaId(message.correlation_id), reply).await?;
            }
            PaymentRefunded::KIND => {
                let notice = message.decode::<PaymentRefunded>()?;
                let mut conn = self.pool.acquire().await?;
                orders::store::refunded_to(&mut conn, notice.order_id, notice.refunded).await?;
            }
            _ => return Err(Poison::Kind(message.kind).into()),
        }
        Ok(())
    }
}

impl Orchestrator {
    /// Over the orders database; commands leave by `outbox`, unless `faults` has them lost.
    #[must_use]
    pub fn new(pool: PgPool, outbox: Outbox, faults: Faults) -> Self {
        Self { pool, outbox, faults }
    }

    /// One reply: one transaction. A reply that is late or comes twice is not awaited any more, and changes nothing.
    pub async fn on_reply(&self, id: SagaId, reply: Reply) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        let Some(live) = store::lock(&mut transaction, id).await? else {
            warn!(saga_id = %id, "a reply to a saga that does not exist");
            return Ok(());
        };
        if !engine::awaits(live.saga, id, live.at, reply.command_id) {
            debug!(saga_id = %id, command_id = %reply.command_id, "a late or repeated reply");
            return Ok(());
        }
        let cause = match reply.outcome {
            Outcome::Done => Move::heard(&live, Heard::Done, None, None),
            Outcome::Refused { reason, detail } => {
                Move::heard(&live, Heard::Refused, Some(reason), Some(detail))
            }
        };
        let span = span("saga reply", &live, cause.outcome);
        proceed(&mut transaction, &self.faults, &live, cause)
            .instrument(span)
            .await?;
        transaction.commit().await?;
        self.outbox.flush_soon();
        Ok(())
    }

    /// Looks for due sagas until `shutdown`.
    pub async fn run_timers(self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.tick().await {
                warn!(%error, "the timers wait for the database");
            }
        }
    }

    /// Moves every saga that is due now, and returns how many there were.
    pub async fn tick(&self) -> sqlx::Result<usize> {
        let leases = self.lease().await?;
        for lease in &leases {
            if let Err(error) = self.wake(*lease).await {
                // The lease ends by itself, and the saga is due again.
                warn!(saga_id = %lease.id, %error, "a due saga could not be moved");
            }
        }
        Ok(leases.len())
    }

    /// Leases what is due. Apart from [`Self::wake`] so that tests can stop an orchestrator in between.
    pub async fn lease(&self) -> sqlx::Result<Vec<Lease>> {
        let mut conn = self.pool.acquire().await?;
        store::lease_due(&mut conn, BATCH).await
    }

    /// Moves a leased saga: before the pivot and past its deadline it counts as unanswered, else its command is sent
    /// again. Returns whether it did; not if the saga has moved, or was leased by another, since.
    pub async fn wake(&self, lease: Lease) -> sqlx::Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let Some(live) = store::lock(&mut transaction, lease.id).await? else {
            return Ok(false);
        };
        let (At::Active(position), true) = (live.at, live.epoch == lease.epoch) else {
            return Ok(false);
        };
        let gives_up = live.overdue && engine::is_before_pivot(live.saga, position);
        let cause = if gives_up {
            Move::heard(
                &live,
                Heard::Silent,
                Some("timeout".into()),
                Some("no answer in time".into()),
            )
        } else {
            Move {
                to: live.at,
                heard: None,
                outcome: None,
                reason: None,
                detail: None,
                actor: None,
                ending: None,
            }
        };
        let span = || span("saga timer", &live, cause.outcome);
        // In time a resend is part of the checkout's trace; hours later it is a trace of its own that names the first.
        let span = if live.overdue && !gives_up {
            let span = span();
            live.trace.link(&span);
            span
        } else {
            live.trace.child(span)
        };
        let moved = proceed(&mut transaction, &self.faults, &live, cause)
            .instrument(span)
            .await?;
        transaction.commit().await?;
        self.outbox.flush_soon();
        Ok(moved)
    }
}

fn span(name: &'static str, live: &Live, outcome: Option<&str>) -> tracing::Span {
    let position = live.at.position();
    info_span!(
        "saga",
        otel.name = name,
        saga.id = %live.id,
        saga.step = position.map(|position| live.saga.steps[position.step].name),
        saga.direction = position.map(|position| position.direction.as_str()),
        saga.attempt = live.attempts,
        saga.outcome = outcome.unwrap_or("resent"),
    )
}
