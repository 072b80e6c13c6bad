//! Active health checks: each instance is asked at intervals whether it is healthy.

use std::{
    io,
    sync::Arc,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures::future::join_all;
use http::{Request, header};

use super::Time;
use crate::{
    config,
    message::RequestBody,
    upstream::{
        Cluster, Instance,
        connect::{connect, open},
    },
};

/// How often the number of available instances is exposed as a metric.
const OBSERVE_INTERVAL: Duration = Duration::from_secs(1);

/// The outcomes of an instance's health checks.
#[derive(Debug)]
pub(super) struct Checks {
    is_up: AtomicBool,
    up_since: Time,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Whether a check has been made.
    has_outcome: bool,
    /// Number of checks in a row whose outcome differs from the current state.
    contrary: u32,
}

impl Checks {
    pub(super) fn new(is_checked: bool) -> Self {
        Self {
            is_up: AtomicBool::new(!is_checked),
            up_since: Time::default(),
            counts: Mutex::default(),
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.is_up.load(Relaxed)
    }

    pub(super) fn up_since(&self) -> Duration {
        self.up_since.get()
    }

    /// Records the outcome of a check. The first one decides alone. Returns whether the state has changed.
    fn record(&self, passed: bool, rules: &config::Health, now: Duration) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !std::mem::replace(&mut counts.has_outcome, true);
        if passed == self.is_up() {
            counts.contrary = 0;
            return false;
        }
        counts.contrary += 1;
        let needed = if passed { rules.up } else { rules.down };
        if !is_first && counts.contrary < needed.get() {
            return false;
        }
        counts.contrary = 0;
        if passed {
            self.up_since.set(now);
        }
        self.is_up.store(passed, Relaxed);
        true
    }
}

/// Makes the health checks of all upstreams, and exposes the number of available instances.
pub async fn watch(clusters: &[Arc<Cluster>]) {
    let observe = async {
        loop {
            for cluster in clusters {
                cluster.observe();
            }
            tokio::time::sleep(OBSERVE_INTERVAL).await;
        }
    };
    tokio::join!(
        join_all(clusters.iter().map(|one| check_periodically(one))),
        observe
    );
}

/// Checks the instances of an upstream at intervals, and as soon as they change.
async fn check_periodically(cluster: &Cluster) {
    let Some(rules) = &cluster.health else {
        return;
    };
    loop {
        let instances = cluster.instances();
        join_all(instances.iter().map(|one| check(cluster, one, rules))).await;
        // Replicas of the gateway should not all check at the same moment.
        let pause = rules.every.0.mul_f64(rand::random_range(0.9..1.1));
        let _ = tokio::time::timeout(pause, cluster.changed.notified()).await;
    }
}

async fn check(cluster: &Cluster, instance: &Instance, rules: &config::Health) {
    let outcome = tokio::time::timeout(rules.timeout.0, ask(cluster, instance, rules)).await;
    let outcome = outcome.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let (upstream, address) = (&cluster.name, instance.address);
    if !instance
        .health
        .checks
        .record(outcome.is_ok(), rules, instance.age())
    {
        return;
    }
    match outcome {
        Ok(()) => {
            tracing::info!(upstream, %address, "the instance passes its health checks; it gets requests");
        }
        Err(error) => {
            tracing::warn!(upstream, %address, %error, "the instance fails its health checks; it gets no requests");
        }
    }
}

/// Asks the instance for its health. It is healthy if the response has a status 2xx, or if no path is configured, if it
/// accepts a connection, with a TLS handshake if the upstream has `mtls`.
async fn ask(cluster: &Cluster, instance: &Instance, rules: &config::Health) -> io::Result<()> {
    let Some(path) = &rules.path else {
        let opened = open(instance.address, cluster.tls.as_ref()).await;
        return opened.map(drop).map_err(io::Error::other);
    };
    let mut sender = connect(instance.address, cluster.tls.as_ref(), rules.timeout.0)
        .await
        .map_err(io::Error::other)?;
    let request = Request::get(path.value.as_str())
        .header(header::HOST, cluster.host.clone())
        .header(header::CONNECTION, "close")
        .body(RequestBody::empty())
        .map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    if response.status().is_success() {
        Ok(())
    } else {
        Err(io::Error::other(response.status().to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_check_decides_alone_and_later_ones_only_in_a_row() {
        let rules = serde_saphyr::from_str("{path: /x, down: 3, up: 2}").unwrap();
        let (checks, now) = (Checks::new(true), Duration::from_secs(7));
        assert!(!checks.is_up());
        let outcomes = |outcomes: &[bool]| {
            outcomes
                .iter()
                .map(|passed| {
                    checks.record(*passed, &rules, now);
                    checks.is_up()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(outcomes(&[true]), [true]);
        assert_eq!(checks.up_since(), now);
        assert_eq!(outcomes(&[false, false, true, false]), [true; 4]);
        assert_eq!(outcomes(&[false, false]), [true, false]);
        assert_eq!(outcomes(&[true, false, true, true]), [false, false, false, true]);
    }
}
