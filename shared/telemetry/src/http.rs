//! HTTP on both sides: a server span a request, with the ids handed back to the client, and a client span a call.

use std::time::Instant;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use tracing::{Instrument, field::Empty};
use uuid::Uuid;

use crate::TraceContext;

/// The request's id; a caller's is kept if it is sane.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The trace that the request became part of (W3C Trace Context, level 2 draft).
pub const TRACE_RESPONSE: HeaderName = HeaderName::from_static("traceresponse");

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
    let span = tracing::info_span!(
        "http",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = %method,
        http.route = %route,
        url.path = request.uri().path(),
        http.response.status_code = Empty,
        request_id = request_id.to_str().unwrap_or_default(),
    );
    extract(request.headers()).attach(&span);
    let answer = async {
        let mut response = next.run(request).await;
        let status = response.status().as_u16();
        let span = tracing::Span::current();
        span.record("http.response.status_code", status);
        if response.status().is_server_error() {
            span.record("otel.status_code", "ERROR");
        }
        tracing::info!(%method, route, status, "answered");
        let trace = TraceContext::current().traceparent;
        if let Some(trace) = trace.and_then(|text| HeaderValue::try_from(text).ok()) {
            response.headers_mut().insert(TRACE_RESPONSE, trace);
        }
        response
    };
    let mut response = answer.instrument(span).await;
    response.headers_mut().insert(REQUEST_ID, request_id);
    let seconds = started.elapsed().as_secs_f64();
    crate::metrics::observe_request(method.as_str(), &route, response.status().as_u16(), seconds);
    response
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

/// The context that a request came with.
#[must_use]
pub fn extract(headers: &HeaderMap) -> TraceContext {
    let headers = HeaderExtractor(headers);
    TraceContext {
        traceparent: headers.get("traceparent").map(ToOwned::to_owned),
        tracestate: headers.get("tracestate").map(ToOwned::to_owned),
    }
}

/// Sends `request` under a client span of its own and with its context in the headers.
pub async fn send(
    client: &reqwest::Client,
    request: reqwest::RequestBuilder,
) -> reqwest::Result<reqwest::Response> {
    let mut request = request.build()?;
    let span = tracing::info_span!(
        "http client",
        otel.name = %request.method(),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = %request.method(),
        server.address = request.url().host_str().unwrap_or_default(),
        url.path = request.url().path(),
        http.response.status_code = Empty,
    );
    async {
        inject(request.headers_mut());
        let answer = client.execute(request).await;
        let span = tracing::Span::current();
        match &answer {
            Ok(response) => {
                span.record("http.response.status_code", response.status().as_u16());
                if response.status().is_client_error() || response.status().is_server_error() {
                    span.record("otel.status_code", "ERROR");
                }
            }
            Err(_) => {
                span.record("otel.status_code", "ERROR");
            }
        }
        answer
    }
    .instrument(span)
    .await
}
