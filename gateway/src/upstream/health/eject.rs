//! Outlier ejection: an instance whose requests fail several times in a row gets none for a while. Only failures that
//! clients of a gateway see as 502, 503 or 504 count, because others may be caused by the requests.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use super::{State, Time};
use crate::{
    metrics::UPSTREAM_EJECTIONS,
    upstream::{Cluster, Instance},
};

/// Longest ejection, unless the configured time is longer. An instance that serves for this long starts again with the
/// shortest one.
const MAX_TIME: Duration = Duration::from_mins(5);

/// The ejections of an instance.
#[derive(Debug, Default)]
pub(super) struct Ejections {
    /// Number of requests in a row that have failed.
    failures: AtomicU32,
    /// When the last ejection ends or ended.
    until: Time,
    /// Number of ejections, of which each is longer than the one before.
    count: Mutex<u32>,
}

impl Ejections {
    pub(super) fn until(&self) -> Duration {
        self.until.get()
    }

    pub(super) fn request_succeeded(&self) {
        // Most requests succeed after another that did, and need not write to memory that cores share.
        if self.failures.load(Relaxed) > 0 {
            self.failures.store(0, Relaxed);
        }
    }

    /// Ejects the instance for `time`, multiplied by the number of its ejections. Returns the resulting time.
    fn eject(&self, time: Duration, now: Duration) -> Duration {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(self.until()) > MAX_TIME {
            *count = 0;
        }
        *count += 1;
        let time = time.saturating_mul(*count).min(MAX_TIME.max(time));
        self.until.set(now + time);
        self.failures.store(0, Relaxed);
        time
    }
}

impl Cluster {
    /// Records that a request to the instance failed in a way that counts for ejection. Ejects it if there were too many
    /// in a row, unless too many instances are ejected already.
    pub(in crate::upstream) fn count_gateway_error(&self, instance: &Instance) {
        let Some(rules) = &self.eject else {
            return;
        };
        let ejections = &instance.health.ejections;
        if ejections.failures.fetch_add(1, Relaxed) + 1 < rules.gateway_errors.get() {
            return;
        }
        // One at a time, so that concurrent failures cannot eject too many instances.
        let _ejecting = self.ejecting.lock().unwrap_or_else(PoisonError::into_inner);
        let instances = self.instances();
        let ejected = |one: &&std::sync::Arc<Instance>| one.state() == State::Ejected;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let after = count(instances.iter().filter(ejected).count()) + 1;
        if instance.state() == State::Ejected || rules.max.is_exceeded(after, count(instances.len())) {
            return;
        }
        let time = ejections.eject(rules.time.0, instance.age());
        UPSTREAM_EJECTIONS.of([("upstream", &self.name)]).inc();
        tracing::warn!(
            upstream = self.name,
            address = %instance.address,
            ?time,
            "the instance failed too often in a row; it gets no requests for this time"
        );
        self.observe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_ejection_is_longer_up_to_five_minutes_until_the_instance_served_for_as_long() {
        let (ejections, mut now) = (Ejections::default(), seconds(1));
        let times: Vec<_> = (0..12)
            .map(|_| {
                let time = ejections.eject(seconds(30), now);
                now += time;
                time.as_secs()
            })
            .collect();
        assert_eq!(times[..4], [30, 60, 90, 120]);
        assert_eq!(times[9..], [300, 300, 300]);
        assert_eq!(ejections.eject(seconds(30), now + seconds(301)), seconds(30));
    }

    #[test]
    fn only_failures_in_a_row_count_and_at_most_half_of_the_instances_are_ejected() {
        let yaml = "{discover: {static: [\"192.0.2.1:80\", \"192.0.2.2:80\", \"192.0.2.3:80\"]}, eject: {gateway_errors: 3, for: 30s, max: 50%}}";
        let cluster = Cluster::new("ejecting", &serde_saphyr::from_str(yaml).unwrap()).unwrap();
        let instances = cluster.instances();
        let states = || [0, 1, 2].map(|number| instances[number].state());
        for _ in 0..4 {
            cluster.count_gateway_error(&instances[0]);
            cluster.count_gateway_error(&instances[0]);
            instances[0].health.request_succeeded();
        }
        assert_eq!(states(), [State::Healthy; 3]);
        for instance in instances.iter() {
            (0..3).for_each(|_| cluster.count_gateway_error(instance));
        }
        assert_eq!(states(), [State::Ejected, State::Healthy, State::Healthy]);
    }
}
