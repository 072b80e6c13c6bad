//! Quotas by the generic cell rate algorithm (GCRA). A quota may be used all at once and is restored evenly, so there
//! is no moment at which all clients' quotas restart together. Clients see it in the `RateLimit` header fields (IETF
//! draft), and as 429 with `Retry-After`.

mod shared;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use http::{HeaderName, HeaderValue};

use super::RequestContext;
use crate::{
    config::{self, Config, ConfigError, RateBy},
    message::{Client, Problem},
    metrics::{RATE_LIMITED, RATE_UNSHARED},
};
pub use shared::Redis;
use shared::Verdict;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The quotas of all clients for one `rate` link.
#[derive(Debug)]
pub struct Rate {
    name: String,
    by: RateBy,
    quota: NonZeroU32,
    window: Duration,
    policy: Option<HeaderValue>,
    /// The Redis server in which all replicas count together. `None` if each counts alone.
    shared: Option<Arc<Redis>>,
    limiter: RateLimiter<Client, DashMapStateStore<Client>, DefaultClock, StateInformationMiddleware>,
}

impl Rate {
    /// Checks that there is a Redis server if the quota is shared.
    pub(crate) fn check(config: &Config, rules: &config::Rate) -> Result<(), ConfigError> {
        match &rules.shared {
            Some(shared) if config.redis.is_none() => Err(ConfigError::on(
                shared,
                "a shared quota needs the top-level `redis`, which is absent",
            )),
            _ => Ok(()),
        }
    }

    /// Creates the quotas; `name` is that of the policy, for headers and metrics. `redis` is used if they are shared.
    #[must_use]
    pub fn new(name: &str, config: &config::Rate, redis: Option<&Arc<Redis>>) -> Self {
        let (quota, window) = (config.quota, config.window.0);
        let each = (window / quota.get()).max(Duration::from_nanos(1));
        let refill = Quota::with_period(each).map(|refill| refill.allow_burst(config.quota));
        let refill = refill.unwrap_or_else(|| Quota::per_second(config.quota));
        // Create the series now, so that it is exposed as 0.
        RATE_LIMITED.of([("limit", name)]);
        let shared = config.shared.as_ref().and(redis).cloned();
        if shared.is_some() {
            RATE_UNSHARED.of([("limit", name)]);
        }
        Self {
            name: name.to_owned(),
            by: config.by,
            quota,
            window,
            policy: format!("\"{name}\";q={quota};w={}", window.as_secs().max(1))
                .parse()
                .ok(),
            shared,
            limiter: RateLimiter::dashmap(refill).with_middleware(),
        }
    }

    /// Whether these quotas can be kept with this Redis server: they are counted there, or are not shared at all.
    pub(crate) fn is_counted_in(&self, redis: Option<&Arc<Redis>>) -> bool {
        let is_same = |own: &Arc<Redis>| redis.is_some_and(|redis| Arc::ptr_eq(own, redis));
        self.shared.as_ref().is_none_or(is_same)
    }

    /// Counts the request, and rejects it with 429 if the client has no quota left.
    pub async fn pass(&self, context: &mut RequestContext<'_>) -> Result<(), Problem> {
        let key = context.client_by(self.by);
        let shared = match &self.shared {
            None => None,
            Some(redis) => Box::pin(redis.count(&self.name, &key, self.quota, self.window)).await,
        };
        if let Some(verdict) = shared {
            // Count what was allowed here too, so that the client has no new quota if Redis fails.
            if verdict.rejected.is_none() {
                self.count(&key);
            }
            return self.answer(context, verdict);
        }
        if self.shared.is_some() {
            RATE_UNSHARED.of([("limit", &self.name)]).inc();
        }
        let verdict = self.count(&key);
        self.answer(context, verdict)
    }

    /// Counts the request in this replica alone.
    fn count(&self, key: &Client) -> Verdict {
        match self.limiter.check_key(key) {
            Ok(state) => Verdict {
                remaining: state.remaining_burst_capacity(),
                rejected: None,
            },
            Err(until) => Verdict {
                remaining: 0,
                rejected: Some(until.wait_time_from(self.limiter.clock().now())),
            },
        }
    }

    /// Adds the header fields that describe the quota, and rejects the request if nothing remains of it.
    fn answer(&self, context: &mut RequestContext<'_>, verdict: Verdict) -> Result<(), Problem> {
        let Verdict { remaining, rejected } = verdict;
        let quota = self.quota.get();
        let full_in =
            self.window.as_secs_f64() * f64::from(quota.saturating_sub(remaining)) / f64::from(quota);
        let limit = HeaderValue::try_from(format!("\"{}\";r={remaining};t={:.0}", self.name, full_in.ceil()));
        if let (Some(policy), Ok(limit)) = (&self.policy, limit) {
            context.response_headers.insert(POLICY, policy.clone());
            context.response_headers.insert(LIMIT, limit);
        }
        match rejected {
            None => Ok(()),
            Some(wait) => {
                RATE_LIMITED.of([("limit", &self.name)]).inc();
                Err(Problem::rate_limited(wait))
            }
        }
    }

    /// Removes the state of clients whose quota is fully restored.
    pub fn evict_idle(&self) {
        self.limiter.retain_recent();
    }
}
