//! A stored response.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header, response::Parts};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use http_cache_semantics::{CacheOptions, CachePolicy, RequestLike};

use super::Conditions;
use crate::message::{BoxError, ResponseBody};

/// A response of unknown size is stored only if it is complete within this time.
const COLLECT_TIME: Duration = Duration::from_secs(1);

/// A stored response, which many requests share.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) policy: Arc<CachePolicy>,
    status: StatusCode,
    headers: Arc<HeaderMap>,
    body: Bytes,
}

/// A request as the rules of RFC 9111 see it. Its URI has already been compared, and a stored response to GET also
/// answers HEAD.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a>(pub(super) &'a HeaderMap);

impl RequestLike for Seen<'_> {
    fn uri(&self) -> Uri {
        Uri::default()
    }

    fn is_same_uri(&self, _: &Uri) -> bool {
        true
    }

    fn method(&self) -> &Method {
        &Method::GET
    }

    fn headers(&self) -> &HeaderMap {
        self.0
    }
}

impl Entry {
    pub(super) fn new(policy: CachePolicy, mut parts: Parts, body: Bytes) -> Self {
        // Both are created for each response.
        parts.headers.remove(header::AGE);
        parts.headers.remove(header::CONTENT_LENGTH);
        Self {
            policy: Arc::new(policy),
            status: parts.status,
            headers: Arc::new(parts.headers),
            body,
        }
    }

    /// How long the response stays fresh.
    pub(super) fn time_to_live(&self, now: SystemTime) -> Duration {
        self.policy.time_to_live(now)
    }

    /// Whether the fields of the response allow storing it.
    pub(super) fn is_storable(&self) -> bool {
        self.policy.is_storable()
    }

    /// Approximate size in memory, in bytes.
    pub(super) fn size(&self) -> usize {
        // The policy has copies of the fields of the response and of the request.
        let fields = self
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 64);
        1024 + self.body.len() + 2 * fields.sum::<usize>()
    }

    /// The response to a request with these conditions.
    pub(super) fn response(
        &self,
        now: SystemTime,
        is_head: bool,
        conditions: &Conditions,
    ) -> Response<ResponseBody> {
        let body = if is_head { Bytes::new() } else { self.body.clone() };
        let mut response = Response::new(ResponseBody::full(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.clone_from(&self.headers);
        headers.insert(header::AGE, HeaderValue::from(self.policy.age(now).as_secs()));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        conditions.apply(response)
    }

    /// Makes the request ask whether this response is still valid.
    pub(super) fn add_validators(&self, request: &mut HeaderMap) {
        for (from, to) in [
            (header::ETAG, header::IF_NONE_MATCH),
            (header::LAST_MODIFIED, header::IF_MODIFIED_SINCE),
        ] {
            if let Some(value) = self.headers.get(from) {
                request.insert(to, value.clone());
            }
        }
    }

    /// The response after the upstream has confirmed it by a 304 with these fields.
    pub(super) fn refreshed(&self, seen: Seen<'_>, fields: &HeaderMap, now: SystemTime) -> Self {
        let mut headers = (*self.headers).clone();
        for name in fields.keys() {
            let describes_body = [
                header::CONTENT_LENGTH,
                header::CONTENT_ENCODING,
                header::CONTENT_TYPE,
            ]
            .contains(name);
            // A cookie is for the client whose request was answered by these fields.
            if describes_body || name == header::VIA || name == header::SET_COOKIE {
                continue;
            }
            headers.remove(name);
            for value in fields.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        let mut response = Response::new(());
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        let policy = policy(seen, &response, now);
        let (parts, ()) = response.into_parts();
        Self::new(policy, parts, self.body.clone())
    }

    /// Whether the response, although stale, is better than an error. `default` applies if the upstream does not say.
    pub(super) fn may_replace_error(&self, now: SystemTime, default: Option<Duration>) -> bool {
        let values = self.headers.get_all(header::CACHE_CONTROL).iter();
        let directives: Vec<_> = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|directive| directive.trim().to_ascii_lowercase())
            .collect();
        let is_forbidden = directives.iter().any(|directive| {
            let name = directive.split('=').next().unwrap_or_default();
            ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage"].contains(&name)
        });
        let stated = directives.iter().find_map(|directive| {
            let seconds = directive.strip_prefix("stale-if-error=")?;
            seconds.trim_matches('"').parse().ok().map(Duration::from_secs)
        });
        let Some(allowed) = stated.or(default).filter(|_| !is_forbidden) else {
            return false;
        };
        // The policy says how long the response is fresh, but not for how long it has been stale.
        self.policy.age(now) <= self.lifetime().saturating_add(allowed)
    }

    /// How long the response was fresh in total.
    fn lifetime(&self) -> Duration {
        let stored = self.policy.age(SystemTime::UNIX_EPOCH);
        self.policy
            .time_to_live(SystemTime::UNIX_EPOCH)
            .saturating_add(stored)
    }
}

/// Whether a response may be stored: the rules of RFC 9111 allow it, it does not set a cookie, it is not a part or a
/// stream, it is not too large, and it is fresh or can be revalidated.
pub(super) fn may_be_stored(
    policy: &CachePolicy,
    response: &Response<ResponseBody>,
    max_body: usize,
    now: SystemTime,
) -> bool {
    let headers = response.headers();
    let is_stream = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let is_too_large = response.body().size_hint().lower() > max_body as u64;
    let has_validator = headers.contains_key(header::ETAG) || headers.contains_key(header::LAST_MODIFIED);
    let varies_always = headers
        .get_all(header::VARY)
        .iter()
        .any(|value| value.as_bytes().contains(&b'*'));
    policy.is_storable()
        && response.status() != StatusCode::PARTIAL_CONTENT
        && !response.status().is_server_error()
        && !headers.contains_key(header::SET_COOKIE)
        && !varies_always
        && !is_stream
        && !is_too_large
        && (has_validator || !policy.time_to_live(now).is_zero())
}

/// The rules for storing a response and using it again. A response that does not say how long it is fresh is not fresh: the
/// age of its last change says nothing about whom it is for.
pub(super) fn policy<B>(request: Seen<'_>, response: &Response<B>, now: SystemTime) -> CachePolicy {
    let options = CacheOptions {
        cache_heuristic: 0.0,
        ..CacheOptions::default()
    };
    CachePolicy::new_options(&request, response, now, options)
}

/// A body that was read into memory.
pub(super) enum Collected {
    Whole(Bytes),
    /// The body is too large or too slow. The returned body begins with the part that was already read.
    TooLarge(ResponseBody),
}

/// Reads a body of at most `max` bytes into memory.
pub(super) async fn collect(mut body: ResponseBody, max: usize) -> Result<Collected, BoxError> {
    let is_sized = body.size_hint().exact().is_some();
    let until = tokio::time::Instant::now() + COLLECT_TIME;
    let mut read = BytesMut::new();
    loop {
        let frame = if is_sized {
            body.frame().await
        } else {
            let Ok(frame) = tokio::time::timeout_at(until, body.frame()).await else {
                return Ok(Collected::TooLarge(continued(read, None, body)));
            };
            frame
        };
        let Some(frame) = frame.transpose()? else {
            return Ok(Collected::Whole(read.freeze()));
        };
        match frame.into_data() {
            Ok(data) if read.len() + data.len() <= max => read.extend_from_slice(&data),
            Ok(data) => {
                read.extend_from_slice(&data);
                return Ok(Collected::TooLarge(continued(read, None, body)));
            }
            Err(trailers) => return Ok(Collected::TooLarge(continued(read, Some(trailers), body))),
        }
    }
}

/// A body that begins with what was already read from it.
fn continued(read: BytesMut, last: Option<http_body::Frame<Bytes>>, rest: ResponseBody) -> ResponseBody {
    let begin = (!read.is_empty()).then(|| http_body::Frame::data(read.freeze()));
    let begin = futures::stream::iter(begin.into_iter().chain(last).map(Ok));
    let rest = http_body_util::BodyStream::new(rest);
    ResponseBody::boxed(http_body_util::StreamBody::new(futures::StreamExt::chain(
        begin, rest,
    )))
}
