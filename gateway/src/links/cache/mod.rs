//! A shared cache in memory (RFC 9111) for GET and HEAD. Only what the upstream allows is stored, and never what is meant
//! for one client. A hit does not reach the upstream, stale responses are revalidated, and of several clients that ask
//! for the same response at the same time, only one does so. `Cache-Status` (RFC 9211) says what happened.

mod conditional;
mod entry;
mod flight;
mod store;

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts};
use http_cache_semantics::BeforeRequest;
use telemetry::metrics::CounterSeries;

use super::RequestContext;
use crate::{
    config,
    message::{Problem, ResponseBody},
    metrics::CACHE_REQUESTS,
};
use conditional::Conditions;
use entry::{Collected, Entry, Seen, collect};
use flight::{Flight, Flights, Turn};
use store::{Key, Store};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// Responses with larger bodies are not stored, in bytes.
const MAX_BODY: usize = 1 << 20;
/// What can happen to a request, for metrics.
const RESULTS: [&str; 6] = ["hit", "collapsed", "revalidated", "stale", "miss", "bypass"];

/// The stored responses of a `cache` link.
#[derive(Debug)]
pub struct Cache {
    counts: [(&'static str, CounterSeries); 6],
    stale_if_error: Option<Duration>,
    max_body: usize,
    store: Store,
    flights: Flights,
}

/// What the link has found out about a request, until its response arrives.
#[derive(Debug)]
pub struct Lookup {
    key: Key,
    /// The fields of the request as they were when it reached the link, by which a response may vary.
    fields: HeaderMap,
    conditions: Conditions,
    /// A stored response that is stale.
    stale: Option<Entry>,
    /// Whether the response may be stored; not so for HEAD and for methods that change something.
    is_storable: bool,
    /// Others wait for the response as long as this exists.
    flight: Option<Flight>,
    /// Why the request is forwarded; see RFC 9211, section 2.2.
    forwarded: &'static str,
}

impl Cache {
    /// Creates an empty cache; `name` is that of the policy, for metrics.
    #[must_use]
    pub fn new(name: &str, config: &config::Cache) -> Self {
        Self {
            counts: RESULTS.map(|result| (result, CACHE_REQUESTS.of([("cache", name), ("result", result)]))),
            stale_if_error: config.stale_if_error.map(|span| span.0),
            max_body: MAX_BODY.min(config.max.0 / 4),
            store: Store::new(config.max.0),
            flights: Flights::default(),
        }
    }

    /// Answers a request from the cache, or prepares it for the upstream.
    pub async fn pass(
        &self,
        context: &mut RequestContext<'_>,
        request: &mut Parts,
    ) -> Result<Option<Response<ResponseBody>>, Problem> {
        let key = Key::new(context.route, request);
        if !is_cacheable(request) {
            let mut lookup = Lookup::new(key, HeaderMap::new(), "method");
            lookup.is_storable = false;
            if request.method.is_safe() {
                lookup.forwarded = "bypass";
            }
            context.cache = Some(lookup);
            return Ok(None);
        }
        let mut fields = request.headers.clone();
        if context.is_personal() && !fields.contains_key(header::AUTHORIZATION) {
            // The response counts as one to an authenticated request, however the client was authenticated.
            fields.insert(header::AUTHORIZATION, HeaderValue::from_static("verified"));
        }
        let mut lookup = Lookup::new(key, fields, "uri-miss");
        let mut has_waited = false;
        loop {
            let now = SystemTime::now();
            match self.find(&lookup, now) {
                Some((entry, true)) => {
                    let status = match (has_waited, entry.time_to_live(now).as_secs()) {
                        (true, _) => "souk; fwd=uri-miss; collapsed".to_owned(),
                        (false, seconds) => format!("souk; hit; ttl={seconds}"),
                    };
                    self.count(if has_waited { "collapsed" } else { "hit" });
                    let is_head = request.method == Method::HEAD;
                    let response = entry.response(now, is_head, &Conditions::take(&mut request.headers));
                    return Ok(Some(with_status(response, &status)));
                }
                Some((entry, false)) => {
                    lookup.forwarded = if entry.time_to_live(now).is_zero() {
                        "stale"
                    } else {
                        "request"
                    };
                    lookup.stale = Some(entry);
                }
                None => {}
            }
            if wants_only_cached(&request.headers) {
                return Err(Problem::timeout(
                    "no response is stored that this request accepts",
                ));
            }
            // The response to HEAD cannot be stored, so no other request waits for it.
            if request.method == Method::HEAD {
                lookup.is_storable = false;
                lookup.stale = None;
                break;
            }
            match self.flights.join(&lookup.key) {
                Turn::First(flight) => {
                    lookup.flight = Some(flight);
                    break;
                }
                Turn::NotShared => break,
                // The response that this request has waited for is already stale, or was not stored.
                Turn::Wait(_) if has_waited => break,
                Turn::Wait(ended) => {
                    has_waited = true;
                    if tokio::time::timeout_at(context.deadline.into(), ended)
                        .await
                        .is_err()
                    {
                        return Err(Problem::timeout("the service did not respond in time"));
                    }
                }
            }
        }
        if lookup.is_storable {
            // A complete response is needed for the cache. Whether the client has it already is decided afterwards.
            lookup.conditions = Conditions::take(&mut request.headers);
            if let Some(entry) = &lookup.stale {
                entry.add_validators(&mut request.headers);
            }
        }
        context.cache = Some(lookup);
        Ok(None)
    }

    /// The stored response to a request, and whether it may be used without revalidation.
    fn find(&self, lookup: &Lookup, now: SystemTime) -> Option<(Entry, bool)> {
        let seen = Seen(&lookup.fields);
        self.store.find(&lookup.key, |entry| {
            match entry.policy.before_request(&seen, now) {
                BeforeRequest::Fresh(_) => Some(true),
                BeforeRequest::Stale { matches, .. } => matches.then_some(false),
            }
        })
    }

    /// Stores the response to a request that the cache could not answer, if that is allowed. Answers with a stored
    /// response if the upstream has confirmed that it is still valid, or has failed.
    pub async fn keep(
        &self,
        context: &mut RequestContext<'_>,
        response: Response<ResponseBody>,
    ) -> Response<ResponseBody> {
        let Some(mut lookup) = context.cache.take() else {
            return response;
        };
        if !lookup.is_storable {
            let succeeded = response.status().is_success() || response.status().is_redirection();
            if lookup.forwarded == "method" && succeeded {
                self.store.remove(&lookup.key);
            }
            self.count("bypass");
            return with_status(response, &format!("souk; fwd={}", lookup.forwarded));
        }
        let now = SystemTime::now();
        let status = response.status();
        let forwarded = format!("souk; fwd={}; fwd-status={}", lookup.forwarded, status.as_u16());
        if let Some(stale) = lookup.stale.take() {
            if status == StatusCode::NOT_MODIFIED {
                let entry = stale.refreshed(Seen(&lookup.fields), response.headers(), now);
                if entry.is_storable() {
                    self.store
                        .insert(&lookup.key, Seen(&lookup.fields), entry.clone());
                } else {
                    self.store.remove(&lookup.key);
                }
                self.count("revalidated");
                let mut revalidated = entry.response(now, false, &lookup.conditions);
                for cookie in response.headers().get_all(header::SET_COOKIE) {
                    revalidated
                        .headers_mut()
                        .append(header::SET_COOKIE, cookie.clone());
                }
                let response = revalidated;
                return with_status(response, &format!("{forwarded}; stored"));
            }
            if is_failure(status) && stale.may_replace_error(now, self.stale_if_error) {
                self.count("stale");
                let response = stale.response(now, false, &lookup.conditions);
                return with_status(response, &forwarded);
            }
        }
        self.count("miss");
        let policy = entry::policy(Seen(&lookup.fields), &response, now);
        if !entry::may_be_stored(&policy, &response, self.max_body, now) {
            // The next requests for this response do not wait for each other, unless the upstream has failed.
            if let Some(flight) = lookup.flight.take().filter(|_| !status.is_server_error()) {
                flight.mark_not_shared();
            }
            return with_status(lookup.conditions.apply(response), &forwarded);
        }
        let (parts, body) = response.into_parts();
        let was_stored = parts.headers.contains_key(header::AGE);
        match collect(body, self.max_body).await {
            Ok(Collected::Whole(body)) => {
                let entry = Entry::new(policy, parts, body);
                self.store
                    .insert(&lookup.key, Seen(&lookup.fields), entry.clone());
                let mut response = entry.response(now, false, &lookup.conditions);
                if !was_stored {
                    response.headers_mut().remove(header::AGE);
                }
                with_status(response, &format!("{forwarded}; stored"))
            }
            Ok(Collected::TooLarge(body)) => {
                if let Some(flight) = lookup.flight.take() {
                    flight.mark_not_shared();
                }
                with_status(
                    lookup.conditions.apply(Response::from_parts(parts, body)),
                    &forwarded,
                )
            }
            Err(_) => {
                Problem::bad_gateway("the connection to the service broke, or its response is incomplete")
                    .into_response(&lookup.key.path)
            }
        }
    }

    fn count(&self, result: &str) {
        let count = self.counts.iter().find(|(known, _)| *known == result);
        if let Some((_, series)) = count {
            series.inc();
        }
    }
}

impl Lookup {
    fn new(key: Key, fields: HeaderMap, forwarded: &'static str) -> Self {
        Self {
            key,
            fields,
            conditions: Conditions::default(),
            stale: None,
            is_storable: true,
            flight: None,
            forwarded,
        }
    }
}

/// Whether a stored response may answer the request: GET or HEAD, for the whole content, without a condition that only
/// the upstream can check.
fn is_cacheable(request: &Parts) -> bool {
    let has = |name: HeaderName| request.headers.contains_key(name);
    [Method::GET, Method::HEAD].contains(&request.method)
        && !has(header::RANGE)
        && !has(header::IF_MATCH)
        && !has(header::IF_UNMODIFIED_SINCE)
        && !has(header::SEC_WEBSOCKET_KEY)
}

/// Whether the client wants nothing but a stored response.
fn wants_only_cached(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CACHE_CONTROL).iter();
    let mut directives = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    directives.any(|directive| directive.trim().eq_ignore_ascii_case("only-if-cached"))
}

/// Whether a stale response may be used instead (RFC 5861, section 4).
fn is_failure(status: StatusCode) -> bool {
    [
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ]
    .contains(&status)
}

/// Adds this cache to the list of those that have handled the response.
fn with_status(mut response: Response<ResponseBody>, status: &str) -> Response<ResponseBody> {
    if let Ok(status) = HeaderValue::try_from(status) {
        response.headers_mut().append(CACHE_STATUS, status);
    }
    response
}
