//! HTTP on both sides: a server span a request, with the ids handed back to the client, and a client span a call.

use std::time::Instant;

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
    "Time from a request to another service to the head of its answer",
);

/// The request's id; a caller's is kept if it is sane.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The trace that the request became part of (W3C Trace Context, level 2 draft).
pub const TRACE_RESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// As many bytes of `tracestate` as W3C Trace Context asks everybody to take along.
const LONGEST_STATE: usize = 512;

/// Wraps every route (and the fallbacks) of `router`: a span under the caller's context, `x-request-id` and
/// `traceresponse` on the answer, and the request's duration as a metric.
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
    let answer = async {
        let mut response = next.run(request).await;
        let status = response.status();
        record_status(status, status.is_server_error());
        tracing::info!(%method, route, status = status.as_u16(), "answered");
        let trace = TraceContext::current().traceparent;
        if let Some(trace) = trace.and_then(|text| HeaderValue::try_from(text).ok()) {
            response.headers_mut().insert(TRACE_RESPONSE, trace);
        }
        response
    };
    let mut response = answer.instrument(span).await;
    response.headers_mut().insert(REQUEST_ID, request_id);
    observe_answer(&method, &route, response.status(), started);
    response
}

/// Records the status of an answer in the span that is entered now, and whether that is an error of this side.
pub fn record_status(status: StatusCode, is_error: bool) {
    let span = tracing::Span::current();
    // The conventions ask for a number, and an unsigned one would become a text.
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if is_error {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.as_str());
    }
}

/// A request was answered, with the head of its answer now.
pub fn observe_answer(method: &Method, route: &str, status: StatusCode, started: Instant) {
    let labels = [
        ("http_request_method", metrics::method(method)),
        ("http_route", route),
        ("http_response_status_code", status.as_str()),
    ];
    SERVER_DURATION
        .of(labels)
        .observe(started.elapsed().as_secs_f64());
}

/// A request to another service came to an end: with a status, or without an answer.
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

/// The host that a request was sent to, without its port.
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

fn request_id(headers: &HeaderMap) -> HeaderValue {
    headers
        .get(REQUEST_ID)
        .filter(|id| (1..=128).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic))
        .cloned()
        .or_else(|| HeaderValue::try_from(Uuid::now_v7().to_string()).ok())
        .unwrap_or_else(|| HeaderValue::from_static("-"))
}

/// Writes the current context into the headers of a request to be sent.
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

/// The context that a request came with. What is stored with every row and sent with every call must stay small, whoever
/// sent it: a longer state than all must take along is left behind.
#[must_use]
pub fn extract(headers: &HeaderMap) -> TraceContext {
    let headers = HeaderExtractor(headers);
    TraceContext {
        traceparent: headers.get("traceparent").map(ToOwned::to_owned),
        tracestate: headers
            .get("tracestate")
            .filter(|state| state.len() <= LONGEST_STATE)
            .map(ToOwned::to_owned),
    }
}

/// Sends `request` under a client span of its own and with its context in the headers.
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
        let answer = client.execute(request).await;
        let status = answer.as_ref().ok().map(reqwest::Response::status);
        observe_call(&method, &server, status, started);
        match &answer {
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
        answer
    }
    .instrument(span)
    .await
}

/// A query may carry what is nobody's business.
fn without_query(url: &reqwest::Url) -> &str {
    let text = url.as_str();
    text.split_once(['?', '#']).map_or(text, |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_would_fill_the_headers_of_every_call_is_left_behind() {
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
