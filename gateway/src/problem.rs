//! The gateway's own errors (RFC 9457). What the client is told never depends on an upstream's error text.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::body::ResponseBody;

/// An error answer.
#[derive(Debug)]
#[must_use]
pub struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $kind:literal, $title:literal;)+) => {$(
        $(#[$doc])*
        pub fn $name(detail: impl Into<String>) -> Self {
            Self { status: StatusCode::$status, kind: $kind, title: $title, detail: detail.into(), headers: Vec::new() }
        }
    )+};
}

impl Problem {
    problems! {
        /// The request is not well formed.
        bad_request = BAD_REQUEST, "bad-request", "Bad request";
        /// The client was too slow to send the request's body.
        request_timeout = REQUEST_TIMEOUT, "request-timeout", "Request timeout";
        /// No identity, or none that is accepted.
        unauthorized_plain = UNAUTHORIZED, "unauthorized", "Unauthorized";
        /// The identity may not do this.
        forbidden = FORBIDDEN, "forbidden", "Forbidden";
        /// No such route.
        not_found = NOT_FOUND, "not-found", "Not found";
        /// The route has other methods.
        method_not_allowed_plain = METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed";
        /// The body is over the limit.
        too_large = PAYLOAD_TOO_LARGE, "payload-too-large", "Payload too large";
        /// A body in another form than the route takes.
        unsupported_media_type = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type";
        /// An argument that the upstream does not take.
        invalid = UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request";
        /// Over a quota.
        rate_limited_plain = TOO_MANY_REQUESTS, "rate-limited", "Too many requests";
        /// The upstream answered nonsense, or broke off.
        bad_gateway = BAD_GATEWAY, "bad-gateway", "Bad gateway";
        /// The upstream cannot be reached.
        unavailable_plain = SERVICE_UNAVAILABLE, "unavailable", "Service unavailable";
        /// There is too much to do at the moment, here or at the upstream.
        overloaded_plain = SERVICE_UNAVAILABLE, "overloaded", "Too busy";
        /// The deadline has passed.
        timeout = GATEWAY_TIMEOUT, "timeout", "Gateway timeout";
        /// A defect of the gateway.
        internal = INTERNAL_SERVER_ERROR, "internal", "Internal server error";
    }

    /// 401, with the challenge that RFC 9110 requires.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::unauthorized_plain(detail).header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 405, with the methods that there are.
    pub fn method_not_allowed(allow: HeaderValue) -> Self {
        Self::method_not_allowed_plain("this resource has other methods; see Allow")
            .header(header::ALLOW, allow)
    }

    /// 503, with the time after which to try again.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::unavailable_plain(detail).header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// 503 of an upstream that refuses work because it has too much, with the `Retry-After` of its answer, or 1 s.
    pub fn overloaded(answer: &HeaderMap) -> Self {
        let wait = answer.get(header::RETRY_AFTER).cloned();
        Self::overloaded_plain("the service has too much to do at the moment; see Retry-After").header(
            header::RETRY_AFTER,
            wait.unwrap_or_else(|| HeaderValue::from_static("1")),
        )
    }

    /// 503 of a request that the gateway refuses because too many of its kind are in work. Nothing has failed.
    pub fn too_busy() -> Self {
        Self::overloaded_plain("too many requests of this kind are in work; try again after Retry-After")
            .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// 503 of an upstream that is not asked for now, with the time after which it is.
    pub fn closed_off(wait: Duration) -> Self {
        Self::unavailable_plain(
            "the service has failed too often and is not asked for a while; see Retry-After",
        )
        .header(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait).max(1)))
    }

    /// 429, with the time after which to try again.
    pub fn rate_limited(wait: Duration) -> Self {
        Self::rate_limited_plain("the quota is used up; see Retry-After")
            .header(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)))
    }

    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer, for a request of that path.
    #[must_use]
    pub fn into_response(self, path: &str) -> Response<ResponseBody> {
        let body = json!({
            "type": format!("https://souk.test/problems/{}", self.kind),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "instance": path,
            "trace_id": telemetry::current_trace_id(),
        });
        let mut response = Response::new(ResponseBody::full(Bytes::from(body.to_string())));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.headers);
        response
    }
}

/// Rounded up: a client that waits as long as it was told must not be refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
