//! gRPC on both sides: a span and a duration a call. The context travels as metadata, which on the wire are HTTP headers.

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
    "Time from a call to the head of its answer",
);
static CLIENT_DURATION: Histogram = Histogram::seconds(
    "rpc_client_duration_seconds",
    "Time from a call of another service to the head of its answer",
);

/// `Unavailable`: what a call that never arrived counts as.
const UNAVAILABLE: i32 = 14;
/// Codes that are the server's own fault: unknown, deadline exceeded, unimplemented, internal, unavailable, data loss.
const SERVER_FAULTS: [i32; 6] = [2, 4, 12, 13, UNAVAILABLE, 15];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    Server,
    Client,
}

/// Server layer: a span a call, under the caller's context.
#[must_use]
pub fn server_layer() -> ServerLayer {
    ServerLayer
}

/// A client's channel: a span a call, whose context goes along.
pub fn client<S>(channel: S) -> Traced<S> {
    Traced {
        inner: channel,
        side: Side::Client,
    }
}

/// See [`server_layer`].
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

/// A gRPC service whose calls are spans.
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
        let answer = span.in_scope(|| self.inner.call(request));
        Box::pin(
            async move {
                let answer = answer.await;
                let code = answer
                    .as_ref()
                    .map_or(UNAVAILABLE, |response| code(response.headers()));
                finish(side, &path, code, started);
                answer
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
    // Nobody but Souk's own processes can call, but a method that does not exist is not worth a series.
    if side == Side::Client || code != 12 {
        metric.of(labels).observe(started.elapsed().as_secs_f64());
    }
}

/// `package.Service` and `Method`.
fn parts(path: &str) -> (&str, &str) {
    path.split_once('/').unwrap_or((path, ""))
}

/// A refusal is in the answer's head; an answer without one there says in its trailers that all is well.
fn code(headers: &HeaderMap) -> i32 {
    headers
        .get("grpc-status")
        .and_then(|code| code.to_str().ok()?.parse().ok())
        .unwrap_or(0)
}
