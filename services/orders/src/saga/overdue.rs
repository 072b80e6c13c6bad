//! Decides whether the reply to a command is overdue. Resends are for lost messages: a command that still waits in a queue
//! must not be resent, because every copy makes that queue longer, and with it the wait of all other commands.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contracts::saga::queues;
use messaging::Broker;
use tracing::warn;

use super::{engine::At, state::SagaState};

/// A reply is overdue after this multiple of the usual delay.
const PATIENCE: f64 = 3.0;
/// The usual delay postpones a resend by at most this many seconds.
const MAX_PATIENCE_SECONDS: f64 = 10.0;
/// Weight of a new measurement in the moving average, from 0 to 1.
const WEIGHT: f64 = 1.0 / 16.0;
/// Seconds until a queue with a backlog is checked again.
const CHECK_AGAIN_SECONDS: f64 = 1.0;
/// How long the broker may take to report its backlogs; a slower one could not accept a resend either.
const COUNT_TIMEOUT: Duration = Duration::from_secs(1);

/// The queues in which messages wait for a consumer.
#[derive(Debug, Clone, Default)]
pub struct Backlog(Vec<&'static str>);

impl Backlog {
    /// States that these queues have a backlog.
    #[must_use]
    pub fn of(queues: &[&'static str]) -> Self {
        Self(queues.to_vec())
    }

    /// Reads the backlogs from the broker. While it is unavailable, every queue counts as backed up: the commands wait in
    /// the outbox.
    pub(super) async fn read(broker: &Broker) -> Self {
        let all = [queues::INVENTORY, queues::PAYMENTS, queues::ORDERS];
        let counts = futures::future::join_all(all.map(|queue| broker.backlog(queue)));
        let Ok(counts) = tokio::time::timeout(COUNT_TIMEOUT, counts).await else {
            warn!("reading the backlogs timed out; resends are postponed");
            return Self(all.to_vec());
        };
        let counted = all.into_iter().zip(counts);
        let backed_up = counted.filter(|(_, count)| !matches!(count, Ok(0)));
        Self(backed_up.map(|(queue, _)| queue).collect())
    }

    /// Whether a command in `queue`, or the reply to it, may still be waiting.
    fn holds_up(&self, queue: &str) -> bool {
        self.0
            .iter()
            .any(|backed_up| *backed_up == queue || *backed_up == queues::ORDERS)
    }
}

/// How long replies take at present: a moving average per command queue, in seconds.
#[derive(Debug, Clone, Default)]
pub(super) struct ReplyDelays(Arc<Mutex<HashMap<&'static str, f64>>>);

impl ReplyDelays {
    /// Measures the reply that has just moved a saga from `state`. The reply to a command that was sent more than once is
    /// not measured: it is not known which copy was answered.
    pub(super) fn observe(&self, state: &SagaState) {
        let (Some(queue), 1) = (queue(state), state.attempts) else {
            return;
        };
        let mut delays = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let delay = delays.entry(queue).or_insert(state.awaited_seconds);
        *delay += WEIGHT * (state.awaited_seconds - *delay);
    }

    /// How many more seconds to wait before the command is resent; none when its reply is overdue.
    pub(super) fn wait_for_reply(&self, state: &SagaState, backlog: &Backlog) -> Option<f64> {
        let queue = queue(state)?;
        if backlog.holds_up(queue) {
            return Some(CHECK_AGAIN_SECONDS);
        }
        let delays = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let usual = delays.get(queue).copied().unwrap_or_default();
        let remaining = (usual * PATIENCE).min(MAX_PATIENCE_SECONDS) - state.awaited_seconds;
        (remaining > 0.0).then_some(remaining)
    }
}

fn queue(state: &SagaState) -> Option<&'static str> {
    match state.at {
        At::Active(position) => Some(state.saga.steps[position.step].participant.queue()),
        At::Parked(_) | At::Completed | At::Compensated => None,
    }
}
