//! Keeps track of the orders that clients of this process follow. One task polls the newest event of all of them in a single
//! query, and wakes the streams that have news. Why it polls instead of using LISTEN/NOTIFY: docs/adr/0007.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use contracts::{OrderId, UserId};
use sqlx::PgPool;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

/// Interval between two polls while at least one order is followed.
const POLL_INTERVAL: Duration = Duration::from_millis(150);
/// Delay before the next query after one has failed.
pub(super) const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Limits of the streams of one process.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum number of open streams in this process.
    pub streams: usize,
    /// Maximum number of open streams of one user in this process: enough for some pages on some devices.
    pub streams_per_user: usize,
    /// Interval between two heartbeat comments on a stream without events.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            streams: 10_000,
            streams_per_user: 20,
            heartbeat: Duration::from_secs(15),
        }
    }
}

/// The orders that clients of this process follow, and the task that polls them. Clones share the same state.
#[derive(Debug, Clone)]
pub struct Feed {
    /// A pool for live views only, so that requests and sagas never wait for their connections.
    pub(super) pool: PgPool,
    pub(super) limits: Limits,
    /// Closes every stream when it is cancelled.
    pub(super) shutdown: CancellationToken,
    slots: Arc<Semaphore>,
    streams_by_user: StreamsByUser,
    /// The number of the newest known event of each followed order.
    newest: Arc<Mutex<HashMap<OrderId, watch::Sender<i64>>>>,
    /// Wakes the polling task when the first order is followed.
    follower_added: Arc<Notify>,
}

/// Number of open streams of each user.
type StreamsByUser = Arc<Mutex<HashMap<UserId, usize>>>;

/// An open stream, counted against the limits until it is dropped.
#[derive(Debug)]
pub(super) struct Follower {
    newest: watch::Receiver<i64>,
    _slot: OwnedSemaphorePermit,
    _user_slot: UserSlot,
}

/// One of a user's streams, counted until it is dropped.
#[derive(Debug)]
struct UserSlot {
    user: UserId,
    streams_by_user: StreamsByUser,
}

/// Which limit prevents another stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LimitReached {
    /// The process has the maximum number of streams.
    Process,
    /// The user has the maximum number of streams in this process.
    User,
}

impl Feed {
    /// Creates a feed that reads from `pool`. Cancelling `shutdown` stops its task and closes every stream.
    #[must_use]
    pub fn new(pool: PgPool, limits: Limits, shutdown: CancellationToken) -> Self {
        Self {
            pool,
            limits,
            shutdown,
            slots: Arc::new(Semaphore::new(limits.streams)),
            streams_by_user: Arc::default(),
            newest: Arc::default(),
            follower_added: Arc::default(),
        }
    }

    /// Registers a stream of `user` for `order`, unless a limit is reached.
    pub(super) fn follow(&self, order: OrderId, user: UserId) -> Result<Follower, LimitReached> {
        let user_slot = self.user_slot(user).ok_or(LimitReached::User)?;
        let slots = Arc::clone(&self.slots);
        let slot = slots.try_acquire_owned().map_err(|_| LimitReached::Process)?;
        let newest = self
            .newest()
            .entry(order)
            .or_insert_with(|| watch::Sender::new(0))
            .subscribe();
        self.follower_added.notify_one();
        Ok(Follower {
            newest,
            _slot: slot,
            _user_slot: user_slot,
        })
    }

    fn user_slot(&self, user: UserId) -> Option<UserSlot> {
        let mut streams_by_user = lock(&self.streams_by_user);
        let open = streams_by_user.entry(user).or_default();
        if *open >= self.limits.streams_per_user {
            return None;
        }
        *open += 1;
        Some(UserSlot {
            user,
            streams_by_user: Arc::clone(&self.streams_by_user),
        })
    }

    /// Polls for new events until the shutdown. Sleeps while no order is followed.
    pub async fn run(self) {
        let mut polls = interval(POLL_INTERVAL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let orders = self.followed_orders();
            let wait = async {
                if orders.is_empty() {
                    self.follower_added.notified().await;
                } else {
                    polls.tick().await;
                }
            };
            if self.shutdown.run_until_cancelled(wait).await.is_none() {
                return;
            }
            if let Err(error) = self.poll(&orders).await {
                warn!(%error, "reading new order events failed; will retry in 1 s");
                self.shutdown.run_until_cancelled(sleep(RETRY_DELAY)).await;
            }
        }
    }

    /// Returns the orders that are followed, and drops those that no stream follows any longer.
    fn followed_orders(&self) -> Vec<Uuid> {
        let mut followed = self.newest();
        followed.retain(|_, newest| newest.receiver_count() > 0);
        followed.keys().map(|order| order.0).collect()
    }

    /// Reads the number of each order's newest event, and wakes the streams for which it has changed.
    async fn poll(&self, orders: &[Uuid]) -> sqlx::Result<()> {
        if orders.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query!(
            r#"SELECT followed.id AS "order_id!",
                   (SELECT max(e.id) FROM order_events e WHERE e.order_id = followed.id) AS newest
               FROM unnest($1::uuid[]) AS followed (id)"#,
            orders
        )
        .fetch_all(&self.pool)
        .await?;
        let followed = self.newest();
        for row in rows {
            if let (Some(known), Some(newest)) = (followed.get(&OrderId(row.order_id)), row.newest) {
                known.send_if_modified(|known| newest > std::mem::replace(known, newest));
            }
        }
        Ok(())
    }

    fn newest(&self) -> MutexGuard<'_, HashMap<OrderId, watch::Sender<i64>>> {
        lock(&self.newest)
    }
}

impl Drop for UserSlot {
    fn drop(&mut self) {
        let mut streams_by_user = lock(&self.streams_by_user);
        if let Entry::Occupied(mut entry) = streams_by_user.entry(self.user) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// Locks `mutex` even if it is poisoned: no holder of these locks can panic halfway through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Follower {
    /// Waits until the order has an event with a number above `seen`.
    pub(super) async fn wait(&mut self, seen: i64) {
        if self.newest.wait_for(|newest| *newest > seen).await.is_err() {
            // The feed has been dropped, so there will be no news. The stream is closed by its own shutdown token.
            std::future::pending::<()>().await;
        }
    }
}
