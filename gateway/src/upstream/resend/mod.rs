//! Resends requests that failed (retry) or are slow (hedge), within a budget.

mod budget;
pub(super) mod tries;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Method, Request};
use http_body::Body as _;
use telemetry::metrics::CounterSeries;

use crate::{
    config::{self, Retry, Share},
    message::RequestBody,
    metrics::{CALLS_RESENT, RESENDS_DENIED},
};
use budget::Budget;

/// Maximum size of a body that is kept for another try, in bytes.
pub(super) const MAX_BODY: u64 = 64 << 10;

/// The rules by which a route sends requests to an upstream again. All cores share the budget.
#[derive(Debug)]
pub struct Resends {
    route: String,
    upstream: String,
    retry: Option<config::Retry>,
    hedge: Option<config::Hedge>,
    budget: Budget,
    retries: CounterSeries,
    hedges: CounterSeries,
    denied: CounterSeries,
}

impl Resends {
    /// Rules with an unused budget.
    #[must_use]
    pub fn new(
        route: &str,
        upstream: &str,
        retry: Option<&config::Retry>,
        hedge: Option<&config::Hedge>,
    ) -> Arc<Self> {
        let resent = |reason| CALLS_RESENT.of([("route", route), ("upstream", upstream), ("reason", reason)]);
        let share: Share = retry.map_or(Retry::DEFAULT_BUDGET, |retry| retry.budget);
        Arc::new(Self {
            route: route.to_owned(),
            upstream: upstream.to_owned(),
            retry: retry.cloned(),
            hedge: hedge.cloned(),
            budget: Budget::new(share),
            retries: resent("retry"),
            hedges: resent("hedge"),
            denied: RESENDS_DENIED.of([("route", route), ("upstream", upstream)]),
        })
    }

    /// Whether these are the given rules of a route and upstream.
    #[must_use]
    pub fn is_for(
        &self,
        route: &str,
        upstream: &str,
        retry: Option<&config::Retry>,
        hedge: Option<&config::Hedge>,
    ) -> bool {
        self.route == route
            && self.upstream == upstream
            && self.retry.as_ref() == retry
            && self.hedge.as_ref() == hedge
    }

    /// Counts a request, which increases the budget.
    pub(crate) fn count_request(&self) {
        self.budget.count_request();
    }

    /// The time by which a try that begins now must have received a response.
    pub(super) fn end_of_try(&self, deadline: Instant) -> Instant {
        let time = self.retry.as_ref().and_then(|retry| retry.per_try);
        time.map_or(deadline, |time| deadline.min(Instant::now() + time.0))
    }

    /// How long to wait before resending a request that was already resent `retries` times. `None` if it may not be
    /// sent again.
    pub(crate) fn backoff(&self, retries: u32, deadline: Instant) -> Option<Duration> {
        let rules = self.retry.as_ref().filter(|rules| retries < rules.max.get())?;
        let longest = rules.backoff.from.saturating_mul(1 << retries.min(16));
        let wait = longest.min(rules.backoff.to).mul_f64(rand::random());
        (Instant::now() + wait < deadline && self.withdraw(&self.retries)).then_some(wait)
    }

    /// The time after which a second instance is asked; `None` if it is not.
    pub(super) fn hedge_after(&self, method: &Method) -> Option<Duration> {
        let rules = self.hedge.as_ref()?;
        [Method::GET, Method::HEAD]
            .contains(method)
            .then_some(rules.after.0)
    }

    /// Takes the permission to ask a second instance.
    pub(super) fn may_hedge(&self) -> bool {
        self.withdraw(&self.hedges)
    }

    fn withdraw(&self, counter: &CounterSeries) -> bool {
        let is_allowed = self.budget.withdraw();
        if is_allowed {
            counter.inc();
        } else {
            self.denied.inc();
        }
        is_allowed
    }
}

/// Whether sending the request twice has the same effect as sending it once.
pub(super) fn is_idempotent(request: &Request<RequestBody>) -> bool {
    let method = request.method();
    method.is_idempotent() || request.headers().contains_key("idempotency-key")
}

/// A copy of the request, if its body is in memory and small.
pub(super) fn copy(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let RequestBody::Full(body) = request.body() else {
        return None;
    };
    if request.body().size_hint().lower() > MAX_BODY {
        return None;
    }
    let mut copy = Request::new(RequestBody::Full(body.clone()));
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    copy.headers_mut().clone_from(request.headers());
    Some(copy)
}
