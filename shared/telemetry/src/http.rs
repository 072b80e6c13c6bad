//! Traces HTTP requests: one server span per received request, with the ids returned to the client, and one client span per
//! sent request.

use std::time::{Duration, Instant};

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header::HOST};
use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use tracing::{Instrument, field::Empty};
use uuid::Uuid;

use crate::{
    TraceContext,
    metrics::{self, Histogram, SERVER_DURATION},
};

static CLIENT_DURATION: Histogram = Histogram::seconds(
    "http_client_request_duration_seconds",
    "Time from a request to another service to its response headers",
);

/// Header with the id of the request, returned in the response. See [`request_id`].
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Response header with the trace context of the request's span (W3C Trace Context, level 2 draft).
pub const TRACE_RESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// Maximum length of `tracestate` in bytes, which is the length that W3C Trace Context requires to be propagated.
const MAX_STATE_LENGTH: usize = 512;

/// Adds tracing to all routes and fallbacks of `router`: a span as a child of the caller's context, the response headers
/// `x-request-id` and `traceresponse`, and a metric of the request's duration.
pub fn layer(router: axum::Router) -> axum::Router {
    router.layer(axum::middleware::from_fn(trace))
}

async fn trace(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let request_id = request_id(request.headers());
    request.headers_mut().insert(REQUEST_ID, request_id.clone());
    let span = extract(request.headers()).child(|| {
        tracing::info_span!(
            "http",
            otel.name = format!("{} {route}", metrics::method(&method)),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = metrics::method(&method),
            http.route = %route,
            url.scheme = "http",
            url.path = request.uri().path(),
            server.address = host(request.headers()),
            http.response.status_code = Empty,
            error.type = Empty,
            request_id = request_id.to_str().unwrap_or_default(),
        )
    });
    let response = async {
        let mut response = next.run(request).await;
        let status = response.status();
        record_status(status, status.is_server_error());
        let duration_ms = milliseconds(started.elapsed());
        tracing::info!(%method, route, status = status.as_u16(), duration_ms, "request completed");
        let trace = TraceContext::current().traceparent;
        if let Some(trace) = trace.and_then(|text| HeaderValue::try_from(text).ok()) {
            response.headers_mut().insert(TRACE_RESPONSE, trace);
        }
        response
    };
    let mut response = response.instrument(span).await;
    response.headers_mut().insert(REQUEST_ID, request_id);
    observe_response(&method, &route, response.status(), started);
    response
}

/// A duration in milliseconds with three decimals, for log lines.
#[must_use]
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Records the status of a response in the current span, and whether the span counts as failed.
pub fn record_status(status: StatusCode, is_error: bool) {
    let span = tracing::Span::current();
    // The conventions require a number, but an unsigned integer would be exported as a string.
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if is_error {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.as_str());
    }
}

/// Records the duration of a received request, from `started` until now, when the response headers are sent.
pub fn observe_response(method: &Method, route: &str, status: StatusCode, started: Instant) {
    let labels = [
        ("http_request_method", metrics::method(method)),
        ("http_route", route),
        ("http_response_status_code", status.as_str()),
    ];
    SERVER_DURATION
        .of(labels)
        .observe(started.elapsed().as_secs_f64());
}

/// Records the duration of a request to another service, from `started` until now. `status` is `None` without a response.
pub fn observe_call(method: &Method, server: &str, status: Option<StatusCode>, started: Instant) {
    let labels = [
        ("http_request_method", metrics::method(method)),
        ("server_address", server),
        (
            "http_response_status_code",
            status.as_ref().map_or("", StatusCode::as_str),
        ),
    ];
    CLIENT_DURATION
        .of(labels)
        .observe(started.elapsed().as_secs_f64());
}

/// Returns the host from the `Host` header without its port, or an empty text if there is none.
#[must_use]
pub fn host(headers: &HeaderMap) -> &str {
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    host.rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(name, _)| name)
}

/// Returns the request id that the caller sent, if it has 1 to 128 letters, digits, `-`, `_`, `.` or `:`, and otherwise a
/// new UUID v7.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    headers
        .get(REQUEST_ID)
        .filter(|id| (1..=128).contains(&id.len()) && id.as_bytes().iter().all(is_allowed))
        .cloned()
        .or_else(|| HeaderValue::try_from(Uuid::now_v7().to_string()).ok())
        .unwrap_or_else(|| HeaderValue::from_static("-"))
}

/// Adds the current trace context to the headers of an outgoing request.
pub fn inject(headers: &mut HeaderMap) {
    let context = TraceContext::current();
    let mut headers = HeaderInjector(headers);
    for (name, value) in [
        ("traceparent", context.traceparent),
        ("tracestate", context.tracestate),
    ] {
        if let Some(value) = value {
            headers.set(name, value);
        }
    }
}

/// Returns the trace context from the headers of a request. The context is stored in rows and sent with further calls, so it
/// must stay small: a `tracestate` of more than 512 bytes is dropped.
#[must_use]
pub fn extract(headers: &HeaderMap) -> TraceContext {
    let headers = HeaderExtractor(headers);
    TraceContext {
        traceparent: headers.get("traceparent").map(ToOwned::to_owned),
        tracestate: headers
            .get("tracestate")
            .filter(|state| state.len() <= MAX_STATE_LENGTH)
            .map(ToOwned::to_owned),
    }
}

/// Sends `request` in a new client span, with the context of the span in the headers.
pub async fn send(
    client: &reqwest::Client,
    request: reqwest::RequestBuilder,
) -> reqwest::Result<reqwest::Response> {
    let mut request = request.build()?;
    let started = Instant::now();
    let (method, server) = (
        request.method().clone(),
        request.url().host_str().unwrap_or_default().to_owned(),
    );
    let span = tracing::info_span!(
        "http client",
        otel.name = %method,
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = %method,
        server.address = server,
        server.port = request.url().port_or_known_default().map(i64::from),
        url.full = without_query(request.url()),
        http.response.status_code = Empty,
        error.type = Empty,
    );
    async {
        inject(request.headers_mut());
        let response = client.execute(request).await;
        let status = response.as_ref().ok().map(reqwest::Response::status);
        observe_call(&method, &server, status, started);
        match &response {
            Ok(response) => {
                let status = response.status();
                record_status(status, status.is_client_error() || status.is_server_error());
            }
            Err(error) => {
                let span = tracing::Span::current();
                span.record("otel.status_code", "ERROR");
                span.record(
                    "error.type",
                    if error.is_timeout() {
                        "timeout"
                    } else {
                        "connection"
                    },
                );
            }
        }
        response
    }
    .instrument(span)
    .await
}

/// Returns the URL without query and fragment, which may contain secrets or personal data.
fn without_query(url: &reqwest::Url) -> &str {
    let text = url.as_str();
    text.split_once(['?', '#']).map_or(text, |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_tracestate_is_dropped() {
        let extracted = |state: &str| {
            let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
            let headers = [("traceparent", parent), ("tracestate", state)].map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::try_from(value).expect("a header"),
                )
            });
            let context = extract(&HeaderMap::from_iter(headers));
            assert_eq!(context.traceparent.as_deref(), Some(parent));
            context.tracestate
        };
        let member = "a=".to_owned() + &"b".repeat(200);
        assert_eq!(extracted(&member), Some(member.clone()));
        assert_eq!(extracted(&[member.as_str(); 3].join(",")), None);
    }
}
