//! Chooses the instance of an upstream that a request is sent to. Instances that are not available get no request, unless
//! more than half are unavailable: then the cause is probably elsewhere, and the few others would be overloaded.

use std::{
    hash::{DefaultHasher, Hasher as _},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use http::HeaderMap;

use super::{Cluster, Instance};
use crate::{
    config::{Balance, HashBy},
    message::{Client, headers::CLIENT_ADDRESS},
};

/// Cost of an instance that has not responded yet but already has requests in flight, in seconds.
const UNKNOWN_COST: f64 = 1e6;

/// What the choice of an instance for one request depends on, in addition to the state of the instances.
#[derive(Debug, Default)]
pub struct Choice {
    /// Hash of the property that selects the instance; `None` if the upstream does not balance by hash.
    key: Option<u64>,
    /// Instances that earlier tries were sent to. They are chosen only if no other is available.
    avoided: Vec<SocketAddr>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Instances that did not accept a connection. They are not chosen again.
    unreachable: Vec<SocketAddr>,
    /// The instance that the request was sent to last, and when.
    sent: Option<(Arc<Instance>, Instant)>,
}

impl Choice {
    /// Records that the request is being sent to an instance.
    pub(super) fn sent_to(&self, instance: &Arc<Instance>, started: Instant) {
        self.lock().sent = Some((Arc::clone(instance), started));
    }

    /// The instance that the request was sent to last, and the time since.
    pub(super) fn sent(&self) -> Option<(Arc<Instance>, Duration)> {
        let (instance, started) = self.lock().sent.clone()?;
        Some((instance, started.elapsed()))
    }

    /// Excludes an instance that did not accept a connection.
    pub fn exclude(&self, instance: &Instance) {
        self.lock().unreachable.push(instance.address);
    }

    /// The choice for another try of the same request, which avoids the instance of this one.
    pub(super) fn another(&self) -> Self {
        let sent = self.sent().map(|(instance, _)| instance.address);
        Self {
            key: self.key,
            avoided: self.avoided.iter().copied().chain(sent).collect(),
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cluster {
    /// The choice for a request of this client.
    #[must_use]
    pub fn choice(&self, client: &Client, headers: &HeaderMap) -> Choice {
        let key = match &self.balance {
            Balance::Hash(rule) => Some(match &rule.by {
                HashBy::User => hash(client),
                HashBy::Address => headers.get(CLIENT_ADDRESS).map_or_else(|| hash(client), hash),
                HashBy::Header(name) => headers.get(name).map_or_else(|| hash(client), hash),
            }),
            _ => None,
        };
        Choice {
            key,
            ..Choice::default()
        }
    }

    /// Chooses an instance. If none is known, they are resolved first. `None` if none remains.
    pub async fn choose(&self, choice: &Choice) -> Option<Arc<Instance>> {
        if self.instances().is_empty() {
            self.resolve().await;
        }
        let all = self.instances();
        let available: Vec<_> = all.iter().filter(|one| one.is_available()).collect();
        let usable = if available.len() * 2 < all.len() {
            all.iter().collect()
        } else {
            available
        };
        let excluded = choice.lock().unreachable.clone();
        let is_left = |one: &&Arc<Instance>| !excluded.contains(&one.address);
        let mut candidates: Vec<_> = usable.into_iter().filter(is_left).collect();
        if candidates.is_empty() {
            candidates = all.iter().filter(is_left).collect();
        }
        let is_new = |one: &Arc<Instance>| !choice.avoided.contains(&one.address);
        if candidates.iter().any(|one| is_new(one)) {
            candidates.retain(|one| is_new(one));
        }
        if candidates.is_empty() {
            return None;
        }
        Some(Arc::clone(self.best(&candidates, choice)))
    }

    /// The best of these instances, of which there is at least one.
    fn best<'a>(&self, candidates: &[&'a Arc<Instance>], choice: &Choice) -> &'a Arc<Instance> {
        if let [only] = candidates {
            return only;
        }
        let weight = |one: &Instance| one.weight(self.slow_start);
        let random = || rand::random_range(0..candidates.len());
        match &self.balance {
            Balance::P2cEwma => {
                let first = random();
                let other = (first + rand::random_range(1..candidates.len())) % candidates.len();
                let pair = [candidates[first], candidates[other]];
                least(&pair, 0, |one| {
                    let waiting = one.in_flight();
                    let latency = one
                        .latency()
                        .unwrap_or(if waiting == 0.0 { 0.0 } else { UNKNOWN_COST });
                    latency * (waiting + 1.0) / weight(one)
                })
            }
            Balance::LeastRequest => least(candidates, random(), |one| (one.in_flight() + 1.0) / weight(one)),
            Balance::RoundRobin => {
                let mut chosen = candidates[0];
                // A new instance skips most of its turns at first.
                for _ in candidates {
                    chosen = candidates[self.next.fetch_add(1, Ordering::Relaxed) % candidates.len()];
                    if rand::random::<f64>() < weight(chosen) {
                        break;
                    }
                }
                chosen
            }
            Balance::Hash(_) => {
                let key = choice.key.unwrap_or_else(rand::random);
                least(candidates, 0, |one| {
                    -(unit(hash((key, one.address))).ln()) / weight(one)
                })
            }
        }
    }
}

/// The instance with the least cost. If several have it, the first one from index `first` on.
fn least<'a>(
    candidates: &[&'a Arc<Instance>],
    first: usize,
    cost: impl Fn(&Instance) -> f64,
) -> &'a Arc<Instance> {
    let (mut best, mut least) = (candidates[first], f64::INFINITY);
    for number in 0..candidates.len() {
        let one = candidates[(first + number) % candidates.len()];
        let cost = cost(one);
        if cost < least {
            (best, least) = (one, cost);
        }
    }
    best
}

/// A hash that is the same in every process, so that all replicas of the gateway choose the same instance.
fn hash(value: impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Maps a hash to a number greater than 0 and not greater than 1.
fn unit(hash: u64) -> f64 {
    let high = u32::try_from(hash >> 32).unwrap_or(u32::MAX);
    (f64::from(high) + 1.0) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of 10,000 requests that a new instance gets, beside an old one.
    fn requests_to_new_instance(balance: &str) -> usize {
        let yaml = format!("{{discover: {{static: []}}, balance: {balance}, slow_start: 10m}}");
        let cluster = Cluster::new("upstream", &serde_saphyr::from_str(&yaml).unwrap()).unwrap();
        let old = Instant::now().checked_sub(Duration::from_hours(1)).unwrap();
        let instances = [("192.0.2.1:80", old), ("192.0.2.2:80", Instant::now())]
            .map(|(address, found)| Instance::found_at(address.parse().unwrap(), found, false));
        let candidates: Vec<_> = instances.iter().collect();
        let choice = Choice::default();
        let chosen =
            (0..10_000).filter(|_| cluster.best(&candidates, &choice).address == instances[1].address);
        chosen.count()
    }

    #[test]
    fn a_new_instance_gets_a_smaller_share_at_first() {
        for balance in ["round_robin", "{hash: {by: user}}"] {
            let count = requests_to_new_instance(balance);
            assert!((100..2000).contains(&count), "{balance}: {count} of 10,000");
        }
        // No request is in flight, so the costs differ only by the weight.
        assert_eq!(requests_to_new_instance("least_request"), 0);
    }

    #[test]
    fn p2c_prefers_the_instance_with_the_lower_latency_and_fewer_requests_in_flight() {
        let yaml = "{discover: {static: [\"192.0.2.1:80\", \"192.0.2.2:80\"]}}";
        let cluster = Cluster::new("upstream", &serde_saphyr::from_str(yaml).unwrap()).unwrap();
        let instances = cluster.instances();
        instances[0].record_latency(Duration::from_millis(10));
        instances[1].record_latency(Duration::from_millis(25));
        let candidates: Vec<_> = instances.iter().collect();
        let choice = Choice::default();
        let chosen = |expected: usize| {
            (0..20).all(|_| cluster.best(&candidates, &choice).address == instances[expected].address)
        };
        assert!(chosen(0));
        let _busy = [instances[0].begin(), instances[0].begin()];
        assert!(chosen(1), "10 ms for three requests are more than 25 ms for one");
    }
}
