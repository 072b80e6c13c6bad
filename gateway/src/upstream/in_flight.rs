//! Limits the concurrent calls of a route to an upstream, so that high load on one route cannot use up what all routes
//! of a service share, such as its database connections. Further calls wait in a short queue that serves clients in
//! turn. Calls that do not fit into the queue or wait too long are rejected. Breakers do not count these rejections.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use telemetry::metrics::{CounterSeries, GaugeSeries};
use tokio::sync::oneshot;

use crate::{
    config,
    message::Client,
    metrics::{CALLS_IN_FLIGHT, CALLS_QUEUED, CALLS_REFUSED},
    report::LimitReport,
};

/// The in-flight limit of one route for one upstream, shared by all cores.
#[derive(Debug)]
pub struct InFlightLimit {
    rules: config::InFlight,
    route: String,
    upstream: String,
    state: Mutex<State>,
    in_flight: GaugeSeries,
    queued: GaugeSeries,
    refused: CounterSeries,
}

#[derive(Debug, Default)]
struct State {
    in_flight: u32,
    queue: Queue,
}

/// Permission for one call. Dropping it passes the slot to the next waiting call.
#[derive(Debug)]
pub struct Slot(Arc<InFlightLimit>);

/// The call was rejected, because the queue is full or the call has waited too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overloaded;

impl InFlightLimit {
    /// A limit without any call in flight. Registers its metrics as 0.
    #[must_use]
    pub fn new(route: &str, upstream: &str, rules: &config::InFlight) -> Arc<Self> {
        let labels = [("route", route), ("upstream", upstream)];
        Arc::new(Self {
            rules: rules.clone(),
            route: route.to_owned(),
            upstream: upstream.to_owned(),
            state: Mutex::default(),
            in_flight: CALLS_IN_FLIGHT.of(labels),
            queued: CALLS_QUEUED.of(labels),
            refused: CALLS_REFUSED.of(labels),
        })
    }

    /// Whether this is the limit of the given route and upstream, with the same rules.
    #[must_use]
    pub fn is_for(&self, route: &str, upstream: &str, rules: &config::InFlight) -> bool {
        self.route == route && self.upstream == upstream && self.rules == *rules
    }

    /// Name of the route.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The limit with its current values, for operators.
    #[must_use]
    pub fn report(&self) -> LimitReport {
        let state = self.lock();
        LimitReport {
            upstream: self.upstream.clone(),
            max: self.rules.max.get(),
            queue: self.rules.queue,
            in_flight: state.in_flight,
            queued: state.queue.length,
            refused: self.refused.get(),
        }
    }

    /// Waits for a slot, at most for the configured `wait` and until the deadline.
    pub async fn acquire(self: &Arc<Self>, client: &Client, deadline: Instant) -> Result<Slot, Overloaded> {
        let place = {
            let mut state = self.lock();
            // A free slot means that the queue is empty, so no waiting call is overtaken.
            let place = if state.in_flight < self.rules.max.get() {
                state.in_flight += 1;
                Ok(None)
            } else {
                state.queue.push(client, self.rules.queue).map(Some)
            };
            self.observe(&state);
            place
        };
        let slot = match place {
            Ok(None) => return Ok(Slot(Arc::clone(self))),
            Ok(Some(receiver)) => {
                let until = deadline.min(Instant::now() + self.rules.wait.0);
                // The sender is dropped when another client's call takes this place in the queue.
                let slot = tokio::time::timeout_at(until.into(), receiver).await;
                slot.ok().and_then(Result::ok)
            }
            Err(Overloaded) => None,
        };
        slot.ok_or_else(|| {
            self.refused.inc();
            Overloaded
        })
    }

    fn release(self: &Arc<Self>) {
        let next = {
            let mut state = self.lock();
            let next = state.queue.pop();
            if next.is_none() {
                state.in_flight -= 1;
            }
            self.observe(&state);
            next
        };
        if let Some(next) = next {
            // If that client has just disconnected, the slot is returned and dropped here, which releases it again.
            let _ = next.send(Slot(Arc::clone(self)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn observe(&self, state: &State) {
        self.in_flight.set(f64::from(state.in_flight));
        let queued = u32::try_from(state.queue.length).unwrap_or(u32::MAX);
        self.queued.set(f64::from(queued));
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// Hands the slot to a waiting call.
type Waiter = oneshot::Sender<Slot>;

/// Waiting calls. Clients are served in turn, and the calls of one client in the order of arrival.
#[derive(Debug, Default)]
struct Queue {
    /// Each client that has waiting calls, once; the front one is next.
    turns: VecDeque<Client>,
    waiting: HashMap<Client, VecDeque<Waiter>>,
    /// Number of waiting calls of all clients.
    length: usize,
}

impl Queue {
    /// Adds a call. If the queue is full, the client with the most waiting calls loses its newest one, unless `client`
    /// would then have as many.
    fn push(&mut self, client: &Client, capacity: usize) -> Result<oneshot::Receiver<Slot>, Overloaded> {
        if self.length >= capacity {
            self.remove_cancelled();
        }
        if self.length >= capacity {
            let own = self.waiting.get(client).map_or(0, VecDeque::len);
            let (longest, calls) = self
                .waiting
                .iter_mut()
                .max_by_key(|(_, calls)| calls.len())
                .filter(|(_, calls)| calls.len() > own + 1)
                .ok_or(Overloaded)?;
            calls.pop_back();
            self.length -= 1;
            tracing::debug!(client = ?longest, "rejected a waiting call in favour of a client with fewer waiting calls");
        }
        let (waiter, slot) = oneshot::channel();
        let calls = self.waiting.entry(client.clone()).or_default();
        if calls.is_empty() {
            self.turns.push_back(client.clone());
        }
        calls.push_back(waiter);
        self.length += 1;
        Ok(slot)
    }

    /// Removes the next call. Its client then goes to the end of the turns.
    fn pop(&mut self) -> Option<Waiter> {
        while let Some(client) = self.turns.pop_front() {
            let Some(calls) = self.waiting.get_mut(&client) else {
                continue;
            };
            let waiter = loop {
                match calls.pop_front() {
                    Some(waiter) => {
                        self.length -= 1;
                        if !waiter.is_closed() {
                            break Some(waiter);
                        }
                    }
                    None => break None,
                }
            };
            if calls.is_empty() {
                self.waiting.remove(&client);
            } else {
                self.turns.push_back(client);
            }
            if waiter.is_some() {
                return waiter;
            }
        }
        None
    }

    /// Removes the calls that no longer wait, because their client has disconnected or they were rejected.
    fn remove_cancelled(&mut self) {
        self.waiting.retain(|_, calls| {
            calls.retain(|waiter| !waiter.is_closed());
            !calls.is_empty()
        });
        self.length = self.waiting.values().map(VecDeque::len).sum();
        let waiting = &self.waiting;
        self.turns.retain(|client| waiting.contains_key(client));
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use futures::{FutureExt as _, future::BoxFuture};

    use super::*;

    type Call<'a> = (&'static str, BoxFuture<'a, Result<Slot, Overloaded>>);

    fn client(last: u8) -> Client {
        Client::Address(Ipv4Addr::new(192, 0, 2, last).into())
    }

    fn limit(rules: &str) -> Arc<InFlightLimit> {
        InFlightLimit::new("route", "upstream", &serde_saphyr::from_str(rules).unwrap())
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    /// Starts a call for each of these clients, and checks that it has to wait.
    fn waiting<'a>(limit: &'a Arc<InFlightLimit>, clients: &'a [(&'static str, Client)]) -> Vec<Call<'a>> {
        let mut calls = vec![];
        for (name, client) in clients {
            let mut call = limit.acquire(client, later()).boxed();
            assert!((&mut call).now_or_never().is_none(), "{name} waits");
            calls.push((*name, call));
        }
        calls
    }

    /// Removes and returns the first of these calls that has finished.
    fn take_finished(calls: &mut Vec<Call<'_>>) -> Option<(&'static str, Result<Slot, Overloaded>)> {
        for number in 0..calls.len() {
            if let Some(outcome) = (&mut calls[number].1).now_or_never() {
                return Some((calls.remove(number).0, outcome));
            }
        }
        None
    }

    #[tokio::test]
    async fn clients_take_turns_and_each_clients_calls_keep_their_order() {
        let limit = limit("{max: 1, queue: 10, wait: 60s}");
        let first = limit.acquire(&client(1), later()).await.unwrap();
        let clients =
            [("1a", 1), ("1b", 1), ("1c", 1), ("2a", 2), ("2b", 2)].map(|(name, last)| (name, client(last)));
        let mut calls = waiting(&limit, &clients);
        let (mut slot, mut order) = (first, vec![]);
        while !calls.is_empty() {
            assert!(
                take_finished(&mut calls).is_none(),
                "only one call is in flight at a time"
            );
            drop(slot);
            let (name, next) = take_finished(&mut calls).expect("the slot is passed on");
            order.push(name);
            slot = next.unwrap();
        }
        assert_eq!(order, ["1a", "2a", "1b", "2b", "1c"]);
        drop(slot);
        assert_eq!(limit.lock().in_flight, 0);
    }

    #[tokio::test]
    async fn a_full_queue_rejects_the_newest_call_of_the_client_with_the_most_calls() {
        let limit = limit("{max: 1, queue: 3, wait: 60s}");
        let slot = limit.acquire(&client(1), later()).await.unwrap();
        let (clients, other) = (
            ["1a", "1b", "1c"].map(|name| (name, client(1))),
            [("2a", client(2))],
        );
        let mut calls = waiting(&limit, &clients);
        let refused = limit.acquire(&client(1), later()).await.unwrap_err();
        assert_eq!(refused, Overloaded);
        calls.extend(waiting(&limit, &other));
        let (name, outcome) = take_finished(&mut calls).expect("the longest queue loses a call");
        assert_eq!((name, outcome.unwrap_err()), ("1c", Overloaded));
        let third = [("3a", client(3))];
        let third = waiting(&limit, &third);
        let (name, outcome) = take_finished(&mut calls).expect("the longest queue loses another call");
        assert_eq!((name, outcome.unwrap_err()), ("1b", Overloaded));
        let refused = limit.acquire(&client(2), later()).now_or_never();
        let refused = refused.expect("rejected, because no client has more waiting calls");
        assert_eq!(refused.unwrap_err(), Overloaded);
        drop(third);
        drop(slot);
    }

    #[tokio::test]
    async fn calls_that_time_out_or_are_cancelled_hold_no_slot() {
        let limit = limit("{max: 1, queue: 2, wait: 10ms}");
        let slot = limit.acquire(&client(1), later()).await.unwrap();
        assert_eq!(limit.acquire(&client(1), later()).await.unwrap_err(), Overloaded);
        assert_eq!(
            limit.acquire(&client(1), Instant::now()).await.unwrap_err(),
            Overloaded
        );
        let clients = [("left", client(1)), ("stays", client(1))];
        let mut calls = waiting(&limit, &clients);
        drop(slot);
        // This call is cancelled after the slot was handed to it.
        drop(calls.remove(0));
        let (name, slot) = take_finished(&mut calls).expect("the slot is passed on");
        assert_eq!(name, "stays");
        drop(slot);
        assert!(
            limit
                .acquire(&client(2), later())
                .now_or_never()
                .is_some_and(|slot| slot.is_ok())
        );
    }

    #[tokio::test]
    async fn without_a_queue_further_calls_are_rejected_immediately() {
        let limit = limit("{max: 2, queue: 0, wait: 60s}");
        let slots = [
            limit.acquire(&client(1), later()).await,
            limit.acquire(&client(2), later()).await,
        ];
        assert!(slots.iter().all(Result::is_ok));
        let third = limit.acquire(&client(3), later()).now_or_never();
        assert_eq!(third.expect("rejected without waiting").unwrap_err(), Overloaded);
    }
}
