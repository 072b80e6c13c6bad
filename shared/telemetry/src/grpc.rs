//! gRPC on both sides: the context travels as metadata, which on the wire are HTTP headers.

use std::task::{Context, Poll};

use tonic::{Request, Status, metadata::MetadataMap, service::Interceptor};
use tower::{Layer, Service};
use tracing::{Instrument, instrument::Instrumented};

/// Client interceptor: puts the current context into the call's metadata.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inject;

impl Interceptor for Inject {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let mut headers = std::mem::take(request.metadata_mut()).into_headers();
        crate::http::inject(&mut headers);
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        Ok(request)
    }
}

/// Server layer: a span a call, under the caller's context.
#[must_use]
pub fn server_layer() -> ServerLayer {
    ServerLayer
}

/// See [`server_layer`].
#[derive(Debug, Clone, Copy)]
pub struct ServerLayer;

impl<S> Layer<S> for ServerLayer {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Traced(inner)
    }
}

/// A gRPC service whose calls are spans.
#[derive(Debug, Clone)]
pub struct Traced<S>(S);

impl<S, B> Service<::http::Request<B>> for Traced<S>
where
    S: Service<::http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: ::http::Request<B>) -> Self::Future {
        let method = request.uri().path().trim_start_matches('/');
        let span = tracing::info_span!(
            "grpc",
            otel.name = method,
            otel.kind = "server",
            rpc.system = "grpc",
            rpc.method = method,
        );
        crate::http::extract(request.headers()).attach(&span);
        self.0.call(request).instrument(span)
    }
}
