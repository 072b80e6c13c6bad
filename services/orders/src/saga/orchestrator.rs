//! Moves the sagas: for every reply that arrives, and by timers for replies that do not. Any number of orchestrators run side
//! by side; leases and the versions of the rows keep them from moving the same saga twice.

use std::{sync::Arc, time::Duration};

use contracts::{
    SagaId,
    saga::{Message as _, PaymentRefunded, Reply},
};
use messaging::{Broker, HandleError, Handler, Incoming, Outbox, Poison};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, warn};

use super::{
    apply::{self, advance, apply, postpone},
    decide::{Cause, Impossible},
    dispatch::Dispatcher,
    engine::{self, At},
    overdue::{Backlog, ReplyDelays},
    plan::plan,
    state::{self, Lease, SagaState},
};
use crate::orders;

/// Interval between two polls for due sagas; the shortest resend is 0.8 s.
const TICK: Duration = Duration::from_millis(250);
/// Maximum number of sagas that are leased at once.
const BATCH: i64 = 64;

/// Moves sagas when a reply arrives or when they are due.
#[derive(Debug, Clone)]
pub struct Orchestrator {
    pool: PgPool,
    outbox: Outbox,
    dispatcher: Arc<dyn Dispatcher>,
    broker: Option<Arc<Broker>>,
    delays: ReplyDelays,
}

impl Handler for Orchestrator {
    const KINDS: &'static [&'static str] = &[Reply::KIND, PaymentRefunded::KIND];

    async fn handle(&self, message: Incoming) -> Result<(), HandleError> {
        match message.kind.as_str() {
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
    /// Moves the sagas of the database behind `pool`; commands leave through `outbox`, as `dispatcher` decides.
    #[must_use]
    pub fn new(pool: PgPool, outbox: Outbox, dispatcher: Arc<dyn Dispatcher>) -> Self {
        Self {
            pool,
            outbox,
            dispatcher,
            broker: None,
            delays: ReplyDelays::default(),
        }
    }

    /// Makes the orchestrator ask `broker` for backlogs: a command is not resent while its queue has one.
    #[must_use]
    pub fn watching(self, broker: Arc<Broker>) -> Self {
        Self {
            broker: Some(broker),
            ..self
        }
    }

    /// Handles one reply. Late and duplicate replies are ignored, and so is another refusal of a parked saga.
    pub async fn on_reply(&self, id: SagaId, reply: Reply) -> sqlx::Result<()> {
        let command_id = reply.command_id;
        let mut conn = self.pool.acquire().await?;
        match advance(&mut conn, &*self.dispatcher, id, &Cause::Reply(reply)).await? {
            Ok(moved) => {
                self.delays.observe(&moved);
                self.outbox.flush_soon();
            }
            Err(Impossible::NotFound) => {
                warn!(saga_id = %id, "ignored a reply to a saga that does not exist");
            }
            Err(_) => debug!(saga_id = %id, %command_id, "ignored a late or duplicate reply"),
        }
        Ok(())
    }

    /// Moves due sagas until `shutdown`.
    pub async fn run_timers(self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.tick().await {
                warn!(%error, "reading due sagas failed; will retry");
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
                warn!(saga_id = %lease.id, %error, "moving a due saga failed; will retry when its lease expires");
            }
        }
        Ok(leases.len())
    }

    /// Leases the sagas that are due. Separate from [`Self::wake`], so that tests can interrupt an orchestrator in between.
    pub async fn lease(&self) -> sqlx::Result<Vec<Lease>> {
        let mut conn = self.pool.acquire().await?;
        state::lease_due(&mut conn, BATCH).await
    }

    /// Moves a leased saga: starts it if it waited for a place, gives it up if its deadline has passed before the pivot, and
    /// otherwise resends its command, unless that command, or its reply, probably still waits in a queue. Returns whether the
    /// saga moved; it does not if another replica, or a reply, was faster.
    pub async fn wake(&self, lease: Lease, backlog: &Backlog) -> sqlx::Result<bool> {
        let mut conn = self.pool.acquire().await?;
        let state = SagaState::find(&mut conn, lease.id).await?;
        let Some(state) = state.filter(|state| state.epoch == lease.epoch) else {
            return Ok(false);
        };
        let At::Active(position) = state.at else {
            return Ok(false);
        };
        let is_given_up = state.is_overdue && engine::is_before_pivot(state.saga, position);
        let cause = if is_given_up {
            Cause::Timeout
        } else {
            Cause::Resend
        };
        if !is_given_up
            && !state.is_waiting()
            && let Some(wait) = self.delays.wait_for_reply(&state, backlog)
        {
            let is_postponed = postpone(&mut conn, &state, wait).await?;
            debug!(saga_id = %state.id, is_postponed, "not resent: the command still waits in its queue");
            return Ok(false);
        }
        let Ok(plan) = plan(&state, &cause) else {
            return Ok(false);
        };
        let span = || apply::span(&cause, &state, &plan);
        // A resend within the deadline belongs to the checkout's trace; one hours later is a trace of its own with a link.
        let span = if state.is_overdue && !is_given_up {
            let span = span();
            state.trace.link(&span);
            span
        } else {
            state.trace.child(span)
        };
        let moved = apply(&mut conn, &*self.dispatcher, &state, &plan)
            .instrument(span)
            .await?;
        self.outbox.flush_soon();
        Ok(moved)
    }
}
