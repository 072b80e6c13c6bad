//! The messages of a service on their way to the client, until the trailers with the status of the call.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use tonic::Code;

use super::{Call, ends::End};
use crate::{
    message::{
        BoxError, ResponseBody, UploadEnd,
        grpc::{self, CallStatus, Wire},
    },
    upstream::Rpc,
};

/// The body of the response to a call. It always ends with trailers. If the call ends early, they are the gateway's own.
pub(super) struct Reply {
    /// `None` once the call has ended. Dropping it cancels the call at the service.
    upstream: Option<(Incoming, Rpc)>,
    call: Call,
    status: CallStatus,
}

impl Reply {
    pub(super) fn new(call: Call, inner: Incoming, rpc: Rpc, status: CallStatus) -> Self {
        Self {
            upstream: Some((inner, rpc)),
            call,
            status,
        }
    }

    /// The body in the form that the client understands.
    pub(super) fn into_body(self) -> ResponseBody {
        ResponseBody::boxed(Encoded(self))
    }

    /// Ends the call with a status of the gateway itself.
    fn end(&mut self, code: Code, message: &str) -> Frame<Bytes> {
        self.upstream = None;
        self.status.set(code);
        Frame::trailers(grpc::trailers(code, message))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some((inner, rpc)) = &mut self.upstream else {
            return Poll::Ready(None);
        };
        // Checked before the data, because a service may always have more data.
        if let Poll::Ready(end) = self.call.end.as_mut().poll(cx) {
            let (code, message) = end.status();
            if end == End::Deadline && matches!(self.call.upload.end(), Some(UploadEnd::Complete(_))) {
                rpc.record(Some(code));
            }
            return Poll::Ready(Some(Ok(self.end(code, message))));
        }
        let frame = match ready!(Pin::new(inner).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                tracing::debug!(%error, "a gRPC call broke off");
                let (code, message) = match self.call.upload.end() {
                    Some(UploadEnd::TooLarge(_)) => {
                        (Code::ResourceExhausted, "a message of the client is too large")
                    }
                    Some(UploadEnd::Broken) => (
                        Code::Cancelled,
                        "the messages of the client are malformed or incomplete",
                    ),
                    _ => {
                        rpc.record(None);
                        (Code::Unavailable, "the connection to the service broke")
                    }
                };
                return Poll::Ready(Some(Ok(self.end(code, message))));
            }
            None => {
                rpc.record(Some(Code::Unknown));
                return Poll::Ready(Some(Ok(self.end(Code::Unknown, "the service sent no status"))));
            }
        };
        self.call.activity.record();
        if let Some(trailers) = frame.trailers_ref() {
            let code = grpc::status(trailers).unwrap_or(Code::Unknown);
            rpc.record(Some(code));
            self.status.set(code);
            self.upstream = None;
        }
        Poll::Ready(Some(Ok(frame)))
    }
}

/// The body in the form that the client understands.
struct Encoded(Reply);

impl Body for Encoded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let reply = &mut self.get_mut().0;
        let (wire, frame) = (reply.call.wire, reply.poll(cx));
        if wire == Wire::Grpc {
            return frame;
        }
        frame.map_ok(|frame| match frame.into_data() {
            Ok(data) => Frame::data(wire.encode(data)),
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                Frame::data(wire.encode_trailers(&trailers))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.upstream.is_none()
    }
}
