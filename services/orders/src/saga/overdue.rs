//! Whether the reply to a command is overdue. Resends are for lost messages: a command that still waits in a queue must not
//! be sent again, because every copy makes that queue longer, and with it the wait of all others.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contracts::saga::queues;
use messaging::Broker;
use tracing::warn;

use super::{engine::At, store::Live};

/// A reply is overdue after this many times the usual delay.
const PATIENCE: f64 = 3.0;
/// The usual delay puts off a resend by at most this many seconds.
const MAX_PATIENCE_SECONDS: f64 = 10.0;
/// Weight of a new measurement in the moving average.
const WEIGHT: f64 = 1.0 / 16.0;
/// Seconds until a queue with a backlog is looked at again.
const LOOK_AGAIN_SECONDS: f64 = 1.0;
/// How long the broker may take to count; one that takes longer could not take a resend either.
const COUNT_TIMEOUT: Duration = Duration::from_secs(1);

/// The queues in which messages wait for a consumer.
#[derive(Debug, Clone, Default)]
pub struct Backlog(Vec<&'static str>);

impl Backlog {
    /// A backlog in these queues.
    #[must_use]
    pub fn of(queues: &[&'static str]) -> Self {
        Self(queues.to_vec())
    }

    /// Asks the broker. While it is unavailable, every queue counts as backed up: the outbox keeps the commands.
    pub(super) async fn read(broker: &Broker) -> Self {
        let all = [queues::INVENTORY, queues::PAYMENTS, queues::ORDERS];
        let counts = futures::future::join_all(all.map(|queue| broker.backlog(queue)));
        let Ok(counts) = tokio::time::timeout(COUNT_TIMEOUT, counts).await else {
            warn!("the broker does not answer; resends wait");
            return Self(all.to_vec());
        };
        let counted = all.into_iter().zip(counts);
        let backed_up = counted.filter(|(_, count)| !matches!(count, Ok(0)));
        Self(backed_up.map(|(queue, _)| queue).collect())
    }

    /// Whether the command of `queue`, or the reply to it, may still be on its way.
    fn holds_up(&self, queue: &str) -> bool {
        self.0
            .iter()
            .any(|backed_up| *backed_up == queue || *backed_up == queues::ORDERS)
    }
}

/// How long replies take at the moment: a moving average per command queue, in seconds.
#[derive(Debug, Clone, Default)]
pub(super) struct ReplyDelays(Arc<Mutex<HashMap<&'static str, f64>>>);

impl ReplyDelays {
    /// Measures the reply that `live` has just received. A command that was sent more than once is not measured: it is
    /// not known which copy was answered.
    pub(super) fn observe(&self, live: &Live) {
        let (Some(queue), 1) = (queue(live), live.attempts) else {
            return;
        };
        let mut delays = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let delay = delays.entry(queue).or_insert(live.awaited_seconds);
        *delay += WEIGHT * (live.awaited_seconds - *delay);
    }

    /// How many seconds to wait for longer before the command is sent again; none when its reply is overdue.
    pub(super) fn wait_for_reply(&self, live: &Live, backlog: &Backlog) -> Option<f64> {
        let queue = queue(live)?;
        if backlog.holds_up(queue) {
            return Some(LOOK_AGAIN_SECONDS);
        }
        let delays = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let usual = delays.get(queue).copied().unwrap_or_default();
        let left = (usual * PATIENCE).min(MAX_PATIENCE_SECONDS) - live.awaited_seconds;
        (left > 0.0).then_some(left)
    }
}

fn queue(live: &Live) -> Option<&'static str> {
    match live.at {
        At::Active(position) => Some(live.saga.steps[position.step].queue()),
        At::Parked(_) | At::Completed | At::Compensated => None,
    }
}
