//! Quotas by GCRA (the generic cell rate algorithm): a quota may be used at once and grows back evenly, so there is no
//! moment at which everybody's starts again. Told by the `RateLimit` header fields (IETF draft), 429 and `Retry-After`.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use http::{HeaderName, HeaderValue};

use super::{Client, Passage};
use crate::{
    config::{self, RateBy},
    metrics::RATE_LIMITED,
    problem::Problem,
};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The quotas of one link.
#[derive(Debug)]
pub struct Rate {
    name: String,
    by: RateBy,
    quota: u32,
    window: Duration,
    policy: Option<HeaderValue>,
    limiter: RateLimiter<Client, DashMapStateStore<Client>, DefaultClock, StateInformationMiddleware>,
}

impl Rate {
    /// From the file; `name` is the policy's.
    #[must_use]
    pub fn new(name: &str, config: &config::Rate) -> Self {
        let (quota, window) = (config.quota.get(), config.window.0);
        let each = (window / quota).max(Duration::from_nanos(1));
        let refill = Quota::with_period(each).map(|refill| refill.allow_burst(config.quota));
        let refill = refill.unwrap_or_else(|| Quota::per_second(config.quota));
        // Shown from the beginning, as 0.
        RATE_LIMITED.of([("limit", name)]);
        Self {
            name: name.to_owned(),
            by: config.by,
            quota,
            window,
            policy: format!("\"{name}\";q={quota};w={}", window.as_secs().max(1))
                .parse()
                .ok(),
            limiter: RateLimiter::dashmap(refill).with_middleware(),
        }
    }

    /// Takes one from the quota.
    pub fn pass(&self, passage: &mut Passage) -> Result<(), Problem> {
        let key = match self.by {
            RateBy::User => passage.by_user(),
            RateBy::Address => passage.by_address(),
        };
        let (left, refused) = match self.limiter.check_key(&key) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(until) => (0, Some(until.wait_time_from(self.limiter.clock().now()))),
        };
        let whole =
            self.window.as_secs_f64() * f64::from(self.quota.saturating_sub(left)) / f64::from(self.quota);
        let limit = HeaderValue::try_from(format!("\"{}\";r={left};t={:.0}", self.name, whole.ceil()));
        if let (Some(policy), Ok(limit)) = (&self.policy, limit) {
            passage.answer.insert(POLICY, policy.clone());
            passage.answer.insert(LIMIT, limit);
        }
        match refused {
            None => Ok(()),
            Some(wait) => {
                RATE_LIMITED.of([("limit", &self.name)]).inc();
                Err(Problem::rate_limited(wait))
            }
        }
    }

    /// Forgets whose quota is whole again.
    pub fn forget(&self) {
        self.limiter.retain_recent();
    }
}

/// An IPv6 customer has a whole /64, so that is who counts as one.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_client() {
        let net = |text: &str| network(text.parse().unwrap());
        assert_eq!(net("2001:db8::1"), net("2001:db8::ffff:1"));
        assert_ne!(net("2001:db8::1"), net("2001:db8:0:1::1"));
        assert_ne!(net("10.0.0.1"), net("10.0.0.2"));
    }
}
