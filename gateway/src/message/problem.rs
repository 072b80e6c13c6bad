//! Error responses of the gateway itself (RFC 9457). Their texts never contain an internal error of an upstream.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::ResponseBody;

/// An error that the gateway returns to a client, as `application/problem+json`. Services return the same kinds.
#[derive(Debug)]
#[must_use]
pub struct Problem(souk_http::Problem);

impl From<souk_http::Problem> for Problem {
    fn from(problem: souk_http::Problem) -> Self {
        Self(problem)
    }
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $kind:literal;)+) => {$(
        $(#[$doc])*
        pub fn $name(detail: impl Into<String>) -> Self {
            Self(souk_http::Problem::new(StatusCode::$status, $kind, detail))
        }
    )+};
}

impl Problem {
    problems! {
        /// 400: the request is malformed.
        bad_request = BAD_REQUEST, "bad-request";
        /// 408: the client did not send its body in time.
        request_timeout = REQUEST_TIMEOUT, "request-timeout";
        /// 403: the client is authenticated but not allowed to do this.
        forbidden = FORBIDDEN, "forbidden";
        /// 404: no route, file or resource matches the request.
        not_found = NOT_FOUND, "not-found";
        /// 405 without `Allow`; use [`Problem::method_not_allowed`].
        method_not_allowed_plain = METHOD_NOT_ALLOWED, "method-not-allowed";
        /// 413; use [`Problem::body_too_large`].
        too_large = PAYLOAD_TOO_LARGE, "payload-too-large";
        /// 415: the route does not accept this content type or encoding.
        unsupported_media_type = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type";
        /// 422: the request is well-formed, but a value in it is not accepted.
        invalid = UNPROCESSABLE_ENTITY, "invalid-request";
        /// 429 without `Retry-After`; use [`Problem::rate_limited`].
        rate_limited_plain = TOO_MANY_REQUESTS, "rate-limited";
        /// 502: the response of the upstream is invalid or incomplete.
        bad_gateway = BAD_GATEWAY, "bad-gateway";
        /// 503 without `Retry-After`; use [`Problem::unavailable`].
        unavailable_plain = SERVICE_UNAVAILABLE, "unavailable";
        /// 503 because of overload, without `Retry-After`; use [`Problem::overloaded`] or [`Problem::too_busy`].
        overloaded_plain = SERVICE_UNAVAILABLE, "overloaded";
        /// 504: the upstream did not respond before the deadline.
        timeout = GATEWAY_TIMEOUT, "timeout";
        /// 500: a defect of the gateway or its configuration.
        internal = INTERNAL_SERVER_ERROR, "internal";
    }

    /// 401: the credentials are missing or invalid. Includes the challenge that RFC 9110 requires.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self(souk_http::Problem::unauthorized(detail))
    }

    /// 413: the body is larger than `limit` bytes.
    pub fn body_too_large(limit: usize) -> Self {
        Self::too_large(format!("the body is larger than {limit} bytes"))
    }

    /// 405: the path exists, but not with this method. `allow` lists the methods that it has.
    pub fn method_not_allowed(allow: HeaderValue) -> Self {
        Self::method_not_allowed_plain("this resource does not support the method; see the Allow header")
            .with_header(header::ALLOW, allow)
    }

    /// 503: the upstream cannot be reached. Clients may retry after 1 s.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::unavailable_plain(detail).retry_after(1)
    }

    /// 503: the upstream rejected the request because it is overloaded. Takes `Retry-After` from its response, or 1 s.
    pub fn overloaded(answer: &HeaderMap) -> Self {
        let wait = answer.get(header::RETRY_AFTER).cloned();
        Self::overloaded_plain("the service is overloaded; try again after the time in Retry-After")
            .with_header(
                header::RETRY_AFTER,
                wait.unwrap_or_else(|| HeaderValue::from_static("1")),
            )
    }

    /// 503: the gateway rejects the request because too many calls of its route are in flight. Clients may retry after
    /// 1 s.
    pub fn too_busy() -> Self {
        Self::overloaded_plain(
            "too many requests of this kind are in progress; try again after the time in Retry-After",
        )
        .retry_after(1)
    }

    /// 503: the breaker is open. `wait` is the time until it lets calls through again.
    pub fn breaker_open(wait: Duration) -> Self {
        Self::unavailable_plain(
            "the service has failed too often and is not called for now; try again after the time in Retry-After",
        )
        .retry_after(whole_seconds(wait).max(1))
    }

    /// 429: the client has exceeded a quota. `wait` is the time until the next request is allowed.
    pub fn rate_limited(wait: Duration) -> Self {
        Self::rate_limited_plain("you have sent too many requests; try again after the time in Retry-After")
            .retry_after(whole_seconds(wait))
    }

    /// 503: the service is being maintained. Clients may retry after `wait`.
    pub fn maintenance(wait: Duration) -> Self {
        Self::unavailable_plain("the service is being maintained; try again after the time in Retry-After")
            .retry_after(whole_seconds(wait))
    }

    /// Adds a header to the response.
    pub fn with_header(self, name: HeaderName, value: HeaderValue) -> Self {
        Self(self.0.header(name, value))
    }

    fn retry_after(self, seconds: u64) -> Self {
        Self(self.0.retry_after(seconds))
    }

    /// The HTTP status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// Why the request failed, for the client.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.0.detail()
    }

    /// The response. `path` is the path of the request and becomes `instance`.
    #[must_use]
    pub fn into_response(self, path: &str) -> Response<ResponseBody> {
        let response = self.0.into_http(Some(path.to_owned()));
        response.map(|body| ResponseBody::full(Bytes::from(body)))
    }
}

/// The duration in seconds, rounded up, so that a client that waits exactly this long is not rejected again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
