//! Traces gRPC calls of servers and clients: one span and one duration per call. The trace context is sent as metadata,
//! which are HTTP headers.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use ::http::{HeaderMap, Request, Response};
use tower::{Layer, Service};
use tracing::{Instrument, Span, field::Empty};

use crate::metrics::Histogram;

static SERVER_DURATION: Histogram = Histogram::seconds(
    "rpc_server_duration_seconds",
    "Time from a call to its response headers",
);
static CLIENT_DURATION: Histogram = Histogram::seconds(
    "rpc_client_duration_seconds",
    "Time from a call of another service to its response headers",
);

/// The status code `Unavailable`, which is recorded if there is no response.
const UNAVAILABLE: i32 = 14;
/// Status codes that are errors of the server: unknown, deadline exceeded, unimplemented, internal, unavailable, data loss.
const SERVER_FAULTS: [i32; 6] = [2, 4, 12, 13, UNAVAILABLE, 15];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    Server,
    Client,
}

/// Returns the layer for servers, which creates one span per call as a child of the caller's context.
#[must_use]
pub fn server_layer() -> ServerLayer {
    ServerLayer
}

/// Wraps the channel of a client. Creates one span per call and sends its context to the server.
pub fn client<S>(channel: S) -> Traced<S> {
    Traced {
        inner: channel,
        side: Side::Client,
    }
}

/// The tower layer for gRPC servers, see [`server_layer`].
#[derive(Debug, Clone, Copy)]
pub struct ServerLayer;

impl<S> Layer<S> for ServerLayer {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Traced {
            inner,
            side: Side::Server,
        }
    }
}

/// A gRPC service or channel that creates one span per call.
#[derive(Debug, Clone)]
pub struct Traced<S> {
    inner: S,
    side: Side,
}

impl<S, B, R> Service<Request<B>> for Traced<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (started, side) = (Instant::now(), self.side);
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let span = || span(side, &path);
        let span = match side {
            Side::Server => crate::http::extract(request.headers()).child(span),
            Side::Client => span(),
        };
        if side == Side::Client {
            span.in_scope(|| crate::http::inject(request.headers_mut()));
        }
        let response = span.in_scope(|| self.inner.call(request));
        Box::pin(
            async move {
                let response = response.await;
                let code = response
                    .as_ref()
                    .map_or(UNAVAILABLE, |response| code(response.headers()));
                finish(side, &path, code, started);
                response
            }
            .instrument(span),
        )
    }
}

fn span(side: Side, path: &str) -> Span {
    let (service, method) = parts(path);
    tracing::info_span!(
        "grpc",
        otel.name = path,
        otel.kind = if side == Side::Server { "server" } else { "client" },
        otel.status_code = Empty,
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = method,
        rpc.grpc.status_code = Empty,
    )
}

fn finish(side: Side, path: &str, code: i32, started: Instant) {
    let span = Span::current();
    span.record("rpc.grpc.status_code", code);
    let (metric, failed) = match side {
        Side::Server => (&SERVER_DURATION, SERVER_FAULTS.contains(&code)),
        Side::Client => (&CLIENT_DURATION, code != 0),
    };
    if failed {
        span.record("otel.status_code", "ERROR");
    }
    let (service, method) = parts(path);
    let labels = [
        ("rpc_service", service),
        ("rpc_method", method),
        ("rpc_grpc_status_code", &code.to_string()),
    ];
    // Do not create a series for each unknown method that a client calls (12 is `Unimplemented`).
    if side == Side::Client || code != 12 {
        metric.of(labels).observe(started.elapsed().as_secs_f64());
    }
}

/// Splits the path of a call into `package.Service` and `Method`.
fn parts(path: &str) -> (&str, &str) {
    path.split_once('/').unwrap_or((path, ""))
}

/// Returns the status code of a call. An error without a body has its status in the headers. Otherwise the status is in the
/// trailers, and the call counts as successful.
fn code(headers: &HeaderMap) -> i32 {
    headers
        .get("grpc-status")
        .and_then(|code| code.to_str().ok()?.parse().ok())
        .unwrap_or(0)
}
