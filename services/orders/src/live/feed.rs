//! Which orders are followed on this process, and one task that looks for what is new of all of them in one query. Why it
//! asks instead of being told by the database: docs/adr/0007.

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

/// Between two looks while somebody follows.
const LOOK: Duration = Duration::from_millis(150);
/// Before a database that is away is asked again.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// What streams may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Streams of this process at once.
    pub streams: usize,
    /// Those of one person among them: a few pages on a few devices, but not everybody's places.
    pub streams_each: usize,
    /// Between two signs of life of a stream that has nothing to say.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            streams: 10_000,
            streams_each: 20,
            heartbeat: Duration::from_secs(15),
        }
    }
}

/// The orders that are followed, and the task that watches them.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Of its own: however many follow, requests and sagas do not wait for them.
    pub(super) pool: PgPool,
    pub(super) limits: Limits,
    /// Ends every stream.
    pub(super) shutdown: CancellationToken,
    places: Arc<Semaphore>,
    followers: Followers,
    followed: Arc<Mutex<HashMap<OrderId, watch::Sender<i64>>>>,
    somebody: Arc<Notify>,
}

/// How many streams each person has.
type Followers = Arc<Mutex<HashMap<UserId, usize>>>;

/// A place among the streams. Dropping it frees everything.
#[derive(Debug)]
pub(super) struct Follower {
    newest: watch::Receiver<i64>,
    _place: OwnedSemaphorePermit,
    _seat: Seat,
}

/// One of a person's own places.
#[derive(Debug)]
struct Seat {
    user: UserId,
    followers: Followers,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The process has none left.
    Full,
    /// This person has enough.
    Enough,
}

impl Feed {
    /// Over the orders database, until `shutdown`.
    #[must_use]
    pub fn new(pool: PgPool, limits: Limits, shutdown: CancellationToken) -> Self {
        Self {
            pool,
            limits,
            shutdown,
            places: Arc::new(Semaphore::new(limits.streams)),
            followers: Arc::default(),
            followed: Arc::default(),
            somebody: Arc::default(),
        }
    }

    /// Lets a person follow an order, if there is a place.
    pub(super) fn follow(&self, order: OrderId, user: UserId) -> Result<Follower, Refused> {
        let seat = self.seat(user).ok_or(Refused::Enough)?;
        let places = Arc::clone(&self.places);
        let place = places.try_acquire_owned().map_err(|_| Refused::Full)?;
        let newest = self
            .followed()
            .entry(order)
            .or_insert_with(|| watch::Sender::new(0))
            .subscribe();
        self.somebody.notify_one();
        Ok(Follower {
            newest,
            _place: place,
            _seat: seat,
        })
    }

    fn seat(&self, user: UserId) -> Option<Seat> {
        let mut followers = locked(&self.followers);
        let taken = followers.entry(user).or_default();
        if *taken >= self.limits.streams_each {
            return None;
        }
        *taken += 1;
        Some(Seat {
            user,
            followers: Arc::clone(&self.followers),
        })
    }

    /// Looks for news until the shutdown. Without anybody who follows it rests.
    pub async fn run(self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let orders = self.orders();
            let wait = async {
                if orders.is_empty() {
                    self.somebody.notified().await;
                } else {
                    looks.tick().await;
                }
            };
            if self.shutdown.run_until_cancelled(wait).await.is_none() {
                return;
            }
            if let Err(error) = self.look(&orders).await {
                warn!(%error, "the live views wait for the database");
                self.shutdown.run_until_cancelled(sleep(RETRY)).await;
            }
        }
    }

    /// Those that are followed; the others are forgotten.
    fn orders(&self) -> Vec<Uuid> {
        let mut followed = self.followed();
        followed.retain(|_, newest| newest.receiver_count() > 0);
        followed.keys().map(|order| order.0).collect()
    }

    async fn look(&self, orders: &[Uuid]) -> sqlx::Result<()> {
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
        let followed = self.followed();
        for row in rows {
            if let (Some(known), Some(newest)) = (followed.get(&OrderId(row.order_id)), row.newest) {
                known.send_if_modified(|known| newest > std::mem::replace(known, newest));
            }
        }
        Ok(())
    }

    fn followed(&self) -> MutexGuard<'_, HashMap<OrderId, watch::Sender<i64>>> {
        locked(&self.followed)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut followers = locked(&self.followers);
        if let Entry::Occupied(mut entry) = followers.entry(self.user) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// Nothing that holds these locks leaves what they guard half done.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Follower {
    /// Waits for an event after `seen`.
    pub(super) async fn wait(&mut self, seen: i64) {
        if self.newest.wait_for(|newest| *newest > seen).await.is_err() {
            // The feed is gone, and with it whoever could tell; the stream ends by its own shutdown.
            std::future::pending::<()>().await;
        }
    }
}
