//! Who moves the sagas: replies as they come in, and timers for what does not come. Any number of orchestrators run side
//! by side; a saga's row lock, its lease and its epoch keep them apart.

use std::{sync::Arc, time::Duration};

use contracts::{
    SagaId,
    saga::{Message as _, Outcome, PaymentRefunded, Reply},
};
use messaging::{Broker, HandleError, Handler, Incoming, Outbox, Poison};
use sqlx::{Acquire as _, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, info_span, warn};

use super::{
    effects::Ending,
    engine::{self, At, Heard, Position},
    overdue::{Backlog, ReplyDelays},
    proceed::{Move, is_one_statement, proceed},
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
    broker: Option<Arc<Broker>>,
    delays: ReplyDelays,
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
        Self {
            pool,
            outbox,
            faults,
            broker: None,
            delays: ReplyDelays::default(),
        }
    }

    /// The same, which does not resend a command while its queue at `broker` has a backlog.
    #[must_use]
    pub fn watching(self, broker: Arc<Broker>) -> Self {
        Self {
            broker: Some(broker),
            ..self
        }
    }

    /// One reply. Late and duplicate replies are ignored, and so is a second refusal of a parked saga. Without a lock the saga
    /// can move between the look and the move, which then changes nothing: the next look shows whether the reply is late.
    pub async fn on_reply(&self, id: SagaId, reply: Reply) -> sqlx::Result<()> {
        let mut conn = self.pool.acquire().await?;
        loop {
            let Some(live) = store::find(&mut conn, id).await? else {
                warn!(saga_id = %id, "a reply to a saga that does not exist");
                return Ok(());
            };
            let is_settled = if is_one_statement(&live) {
                self.hear(&mut conn, &live, &reply).await?
            } else {
                let mut transaction = conn.begin().await?;
                // Locked, so that it cannot move any more.
                let live = store::lock(&mut transaction, id).await?.unwrap_or(live);
                let is_settled = self.hear(&mut transaction, &live, &reply).await?;
                transaction.commit().await?;
                is_settled
            };
            if is_settled {
                self.outbox.flush_soon();
                return Ok(());
            }
        }
    }

    /// Makes the move that the reply leads to. False when the saga has moved meanwhile.
    async fn hear(&self, conn: &mut PgConnection, live: &Live, reply: &Reply) -> sqlx::Result<bool> {
        let id = live.id;
        if !engine::awaits(live.saga, id, live.at, reply.command_id) {
            debug!(saga_id = %id, command_id = %reply.command_id, "a late or repeated reply");
            return Ok(true);
        }
        let cause = match reply.outcome.clone() {
            Outcome::Done => Move::heard(live, Heard::Done, None, None),
            Outcome::Refused { reason, detail } => {
                Move::heard(live, Heard::Refused, Some(reason), Some(detail))
            }
        };
        if matches!(live.at, At::Parked(_)) && cause.to == live.at {
            debug!(saga_id = %id, command_id = %reply.command_id, "a parked saga was refused again");
            return Ok(true);
        }
        let span = span("saga reply", live, cause.outcome);
        let is_moved = proceed(conn, &self.faults, live, cause).instrument(span).await?;
        if is_moved {
            self.delays.observe(live);
        }
        Ok(is_moved)
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
        if leases.is_empty() {
            return Ok(0);
        }
        let backlog = match &self.broker {
            Some(broker) => Backlog::read(broker).await,
            None => Backlog::default(),
        };
        for lease in &leases {
            if let Err(error) = self.wake(*lease, &backlog).await {
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

    /// Moves a leased saga: starts it if it waited for a place, gives it up if its deadline has passed before the pivot,
    /// and otherwise sends its command again, unless that command, or its reply, probably still waits in a queue. Returns
    /// whether it moved; not if another replica, or a reply, was faster.
    pub async fn wake(&self, lease: Lease, backlog: &Backlog) -> sqlx::Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let Some(live) = store::lock(&mut transaction, lease.id).await? else {
            return Ok(false);
        };
        let (At::Active(position), true) = (live.at, live.epoch == lease.epoch) else {
            return Ok(false);
        };
        let is_given_up = live.overdue && engine::is_before_pivot(live.saga, position);
        let cause = if is_given_up {
            give_up(&live, position)
        } else if live.is_waiting() {
            Move {
                restarts_deadline: true,
                ..Move::send(position, None)
            }
        } else if let Some(wait) = self.delays.wait_for_reply(&live, backlog) {
            let postponed = store::postpone(&mut transaction, live.id, live.epoch, wait).await?;
            transaction.commit().await?;
            debug!(saga_id = %live.id, postponed, "the command still waits in its queue");
            return Ok(false);
        } else {
            Move::send(position, None)
        };
        let span = || span("saga timer", &live, cause.outcome);
        // In time a resend is part of the checkout's trace; hours later it is a trace of its own that names the first.
        let span = if live.overdue && !is_given_up {
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

/// What the end of a deadline leads to.
fn give_up(live: &Live, position: Position) -> Move {
    let reason = Some("timeout".to_owned());
    if live.is_waiting() {
        let step = live.saga.steps[position.step].name;
        return Move {
            to: At::Compensated,
            outcome: Some("silent"),
            reason,
            detail: Some("its turn did not come in time".into()),
            ending: Some(Ending::rejected(step, Heard::Silent)),
            ..Move::send(position, None)
        };
    }
    Move::heard(live, Heard::Silent, reason, Some("no answer in time".into()))
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
