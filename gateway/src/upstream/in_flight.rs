//! A limit on the calls of a route that an upstream has to work on at a time, so that a crowd on one route cannot use up
//! what all routes of a service share, such as its database connections. Further calls wait in a short queue in which the
//! clients take turns; what does not fit into it, or waits too long, is refused early. No refusal counts for a breaker.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use telemetry::metrics::{CounterSeries, GaugeSeries};
use tokio::sync::oneshot;

use crate::{
    chain::Client,
    config,
    metrics::{CALLS_IN_FLIGHT, CALLS_QUEUED, CALLS_REFUSED},
};

/// The limit of one route at one upstream, shared by all cores.
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

/// Leave for one call, until it is dropped.
#[derive(Debug)]
pub struct Slot(Arc<InFlightLimit>);

/// The call was refused, because the queue is full or it has waited too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overloaded;

impl InFlightLimit {
    /// Nothing is in flight yet.
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

    /// Whether it is the limit of this route at this upstream.
    #[must_use]
    pub fn is_of(&self, route: &str, upstream: &str) -> bool {
        self.route == route && self.upstream == upstream
    }

    /// Waits for a slot: until `wait` of the rules is over, or the deadline.
    pub async fn acquire(self: &Arc<Self>, client: &Client, deadline: Instant) -> Result<Slot, Overloaded> {
        let turn = {
            let mut state = self.lock();
            // A slot is only free while nobody waits for one.
            let turn = if state.in_flight < self.rules.max.get() {
                state.in_flight += 1;
                Ok(None)
            } else {
                state.queue.push(client, self.rules.queue).map(Some)
            };
            self.observe(&state);
            turn
        };
        let slot = match turn {
            Ok(None) => return Ok(Slot(Arc::clone(self))),
            Ok(Some(turn)) => {
                let until = deadline.min(Instant::now() + self.rules.wait.0);
                // The turn is dropped when a newcomer takes its place in the queue.
                let slot = tokio::time::timeout_at(until.into(), turn).await;
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
            // If that client has just left, the slot comes back and is dropped, which releases it again.
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

type Turn = oneshot::Sender<Slot>;

/// Calls that wait. Clients are served in turn, and the calls of one client in the order in which they came.
#[derive(Debug, Default)]
struct Queue {
    /// Every client that has waiting calls, once; the one whose turn it is first.
    turns: VecDeque<Client>,
    waiting: HashMap<Client, VecDeque<Turn>>,
    /// Waiting calls of all clients.
    length: usize,
}

impl Queue {
    /// Adds a call. In a full queue, the client with the most waiting calls loses its newest one.
    fn push(&mut self, client: &Client, most: usize) -> Result<oneshot::Receiver<Slot>, Overloaded> {
        if self.length >= most {
            self.forget_who_left();
        }
        if self.length >= most {
            let own = self.waiting.get(client).map_or(0, VecDeque::len);
            let (longest, calls) = self
                .waiting
                .iter_mut()
                .max_by_key(|(_, calls)| calls.len())
                .filter(|(_, calls)| calls.len() > own + 1)
                .ok_or(Overloaded)?;
            calls.pop_back();
            self.length -= 1;
            tracing::debug!(client = ?longest, "a waiting call made room for another client's");
        }
        let (turn, taken) = oneshot::channel();
        let calls = self.waiting.entry(client.clone()).or_default();
        if calls.is_empty() {
            self.turns.push_back(client.clone());
        }
        calls.push_back(turn);
        self.length += 1;
        Ok(taken)
    }

    /// The call whose turn it is; its client is then the last in turn.
    fn pop(&mut self) -> Option<Turn> {
        while let Some(client) = self.turns.pop_front() {
            let Some(calls) = self.waiting.get_mut(&client) else {
                continue;
            };
            let turn = loop {
                match calls.pop_front() {
                    Some(turn) => {
                        self.length -= 1;
                        if !turn.is_closed() {
                            break Some(turn);
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
            if turn.is_some() {
                return turn;
            }
        }
        None
    }

    /// Removes the calls whose client has left or has been refused.
    fn forget_who_left(&mut self) {
        self.waiting.retain(|_, calls| {
            calls.retain(|turn| !turn.is_closed());
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

    /// Calls of these clients that all have to wait.
    fn waiting<'a>(limit: &'a Arc<InFlightLimit>, clients: &'a [(&'static str, Client)]) -> Vec<Call<'a>> {
        let mut calls = vec![];
        for (name, client) in clients {
            let mut call = limit.acquire(client, later()).boxed();
            assert!((&mut call).now_or_never().is_none(), "{name} waits");
            calls.push((*name, call));
        }
        calls
    }

    /// The first of these calls that has ended, and how.
    fn ended(calls: &mut Vec<Call<'_>>) -> Option<(&'static str, Result<Slot, Overloaded>)> {
        for number in 0..calls.len() {
            if let Some(outcome) = (&mut calls[number].1).now_or_never() {
                return Some((calls.remove(number).0, outcome));
            }
        }
        None
    }

    #[tokio::test]
    async fn clients_take_turns_and_the_calls_of_one_keep_their_order() {
        let limit = limit("{max: 1, queue: 10, wait: 60s}");
        let first = limit.acquire(&client(1), later()).await.unwrap();
        let clients =
            [("1a", 1), ("1b", 1), ("1c", 1), ("2a", 2), ("2b", 2)].map(|(name, last)| (name, client(last)));
        let mut calls = waiting(&limit, &clients);
        let (mut slot, mut order) = (first, vec![]);
        while !calls.is_empty() {
            assert!(ended(&mut calls).is_none(), "one at a time");
            drop(slot);
            let (name, next) = ended(&mut calls).expect("a slot is free");
            order.push(name);
            slot = next.unwrap();
        }
        assert_eq!(order, ["1a", "2a", "1b", "2b", "1c"]);
        drop(slot);
        assert_eq!(limit.lock().in_flight, 0);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_the_client_that_has_the_most_calls_in_it() {
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
        let (name, outcome) = ended(&mut calls).expect("one makes room");
        assert_eq!((name, outcome.unwrap_err()), ("1c", Overloaded));
        let third = [("3a", client(3))];
        let third = waiting(&limit, &third);
        let (name, outcome) = ended(&mut calls).expect("one makes room again");
        assert_eq!((name, outcome.unwrap_err()), ("1b", Overloaded));
        let refused = limit.acquire(&client(2), later()).now_or_never();
        let refused = refused.expect("all have as many");
        assert_eq!(refused.unwrap_err(), Overloaded);
        drop(third);
        drop(slot);
    }

    #[tokio::test]
    async fn who_waits_too_long_or_leaves_takes_no_slot_and_no_place() {
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
        // The slot was already handed over when this client leaves.
        drop(calls.remove(0));
        let (name, slot) = ended(&mut calls).expect("the slot is passed on");
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
    async fn without_a_queue_it_refuses_at_once() {
        let limit = limit("{max: 2, queue: 0, wait: 60s}");
        let slots = [
            limit.acquire(&client(1), later()).await,
            limit.acquire(&client(2), later()).await,
        ];
        assert!(slots.iter().all(Result::is_ok));
        let third = limit.acquire(&client(3), later()).now_or_never();
        assert_eq!(third.expect("at once").unwrap_err(), Overloaded);
    }
}
