//! Logs and counts a request that has a response. A gRPC call is complete once its status is known, at the end of the
//! response.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use telemetry::http::milliseconds;
use tonic::Code;
use tracing::Span;

use crate::{
    message::{
        BoxError, ResponseBody,
        grpc::{CallStatus, http_status},
    },
    metrics::GRPC_CALLS,
    report::Traffic,
};

/// Logs and counts a request whose response begins now. `traffic` are the figures of its route, if it has one.
pub(super) fn complete(
    mut response: Response<ResponseBody>,
    method: &Method,
    route: &str,
    traffic: Option<&Arc<Traffic>>,
    started: Instant,
) -> Response<ResponseBody> {
    let status = response.status();
    telemetry::http::observe_response(method, route, status, started);
    let latency = started.elapsed();
    let Some(call) = response.extensions_mut().remove::<CallStatus>() else {
        let duration_ms = milliseconds(latency);
        tracing::info!(%method, route, status = status.as_u16(), duration_ms, "request completed");
        if let Some(traffic) = traffic {
            traffic.record(status, latency);
        }
        return response;
    };
    let call = Call {
        status: call,
        http: status,
        method: method.clone(),
        route: route.to_owned(),
        traffic: traffic.cloned(),
        latency,
        span: Span::current(),
    };
    response.map(|inner| ResponseBody::boxed(Watched { inner, _call: call }))
}

/// A gRPC call that is logged and counted when it ends.
#[derive(Debug)]
struct Call {
    status: CallStatus,
    http: StatusCode,
    method: Method,
    route: String,
    traffic: Option<Arc<Traffic>>,
    /// Time to the head of the response.
    latency: Duration,
    span: Span,
}

impl Drop for Call {
    fn drop(&mut self) {
        // Without a status, the client has ended the call.
        let code = self.status.get().unwrap_or(Code::Cancelled);
        let (route, number) = (&*self.route, i32::from(code));
        let _entered = self.span.enter();
        self.span.record("rpc.grpc.status_code", number);
        let equivalent = http_status(code);
        if equivalent.is_server_error() {
            self.span.record("otel.status_code", "ERROR");
        }
        tracing::info!(
            method = %self.method,
            route,
            status = self.http.as_u16(),
            grpc_status = number,
            duration_ms = milliseconds(self.latency),
            "request completed"
        );
        GRPC_CALLS
            .of([("route", route), ("grpc_status", &number.to_string())])
            .inc();
        if let Some(traffic) = &self.traffic {
            traffic.record(equivalent, self.latency);
        }
    }
}

/// A body that is dropped when the call has ended.
#[derive(Debug)]
struct Watched {
    inner: ResponseBody,
    _call: Call,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.get_mut().inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
