//! Request and response bodies. Frames are passed on as they arrive, without buffering. When an upstream's response
//! body ends, its connection returns to the pool.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{ClientBody, Upload, unread};

/// The error type of all bodies in the gateway.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a request to an upstream.
#[derive(Debug)]
pub enum RequestBody {
    /// A body that is completely in memory; `None` is an empty one.
    Full(Option<Bytes>),
    /// The client's body, streamed as it arrives.
    Client(ClientBody),
    /// The messages of a gRPC call, streamed as they arrive.
    Messages(UnsyncBoxBody<Bytes, BoxError>),
}

impl RequestBody {
    /// An empty request body.
    #[must_use]
    pub fn empty() -> Self {
        Self::Full(None)
    }

    /// The state of the client's upload, which outlives the body; `None` for a body in memory.
    #[must_use]
    pub fn upload(&self) -> Option<Arc<Upload>> {
        match self {
            Self::Full(_) | Self::Messages(_) => None,
            Self::Client(body) => Some(Arc::clone(body.upload())),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Client(body) => Pin::new(body).poll_frame(cx),
            Self::Messages(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_none(),
            Self::Client(body) => body.is_end_stream(),
            Self::Messages(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Client(body) => body.size_hint(),
            Self::Messages(body) => body.size_hint(),
        }
    }
}

/// When the body of a response ends even if the upstream has not finished it.
#[derive(Debug)]
pub enum BodyTimeout {
    /// At this time, with an error.
    Deadline(Instant),
    /// For streams: with an error after this time without a frame, or without an error when the gateway drains.
    Idle(Duration, CancellationToken),
}

/// What a response holds while its body is being read, such as the connection that it arrives on. Dropping it means that
/// the body was not read to its end.
pub trait Lease: std::fmt::Debug + Send {
    /// Called when the body has been read to its end.
    fn body_ended(self: Box<Self>);
}

/// The body of a response to a client.
#[derive(Debug)]
pub struct ResponseBody(Kind);

#[derive(Debug)]
enum Kind {
    Full(Option<Bytes>),
    Boxed(UnsyncBoxBody<Bytes, BoxError>),
    Upstream(Box<Streamed>),
}

#[derive(Debug)]
struct Streamed {
    inner: Incoming,
    lease: Option<Box<dyn Lease>>,
    timeout: BodyTimeout,
    /// Created when the body first has to wait, as is `drain`: most bodies never do.
    timer: Option<Pin<Box<Sleep>>>,
    drain: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl ResponseBody {
    /// A body that is completely in memory.
    #[must_use]
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self(Kind::Full((!bytes.is_empty()).then_some(bytes)))
    }

    /// An empty response body.
    #[must_use]
    pub fn empty() -> Self {
        Self(Kind::Full(None))
    }

    /// A body of another type, such as the content of a file.
    #[must_use]
    pub fn boxed(body: impl Body<Data = Bytes, Error = BoxError> + Send + 'static) -> Self {
        Self(Kind::Boxed(body.boxed_unsync()))
    }

    /// The body of an upstream's response. The lease is notified when the body ends.
    #[must_use]
    pub fn streamed(inner: Incoming, lease: Box<dyn Lease>, timeout: BodyTimeout) -> Self {
        if inner.is_end_stream() {
            lease.body_ended();
            return Self::empty();
        }
        Self(Kind::Upstream(Box::new(Streamed {
            inner,
            lease: Some(lease),
            timeout,
            timer: None,
            drain: None,
        })))
    }
}

impl Streamed {
    /// Called when no frame is ready: ends the body if its timeout has passed or the gateway drains.
    fn poll_timeout(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let BodyTimeout::Idle(_, drain) = &self.timeout {
            let drain = self
                .drain
                .get_or_insert_with(|| Box::pin(drain.clone().cancelled_owned()));
            if drain.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
        }
        let timer = self.timer.get_or_insert_with(|| {
            Box::pin(match self.timeout {
                BodyTimeout::Deadline(time) => tokio::time::sleep_until(time.into()),
                BodyTimeout::Idle(time, _) => tokio::time::sleep(time),
            })
        });
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Some(Err("the response took too long".into())))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) else {
            return self.poll_timeout(cx);
        };
        if let (Some(timer), BodyTimeout::Idle(time, _)) = (&mut self.timer, &self.timeout) {
            timer.as_mut().reset(tokio::time::Instant::now() + *time);
        }
        let ended = match &frame {
            None => true,
            Some(Ok(_)) => self.inner.is_end_stream(),
            Some(Err(_)) => {
                self.lease = None;
                false
            }
        };
        if ended && let Some(lease) = self.lease.take() {
            lease.body_ended();
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match &mut self.get_mut().0 {
            Kind::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Boxed(body) => Pin::new(body).poll_frame(cx),
            Kind::Upstream(streamed) => streamed.poll(cx),
        };
        unread::note(match &frame {
            Poll::Ready(Some(Ok(frame))) => Some(frame.data_ref().map_or(0, Bytes::len)),
            Poll::Ready(_) => Some(0),
            Poll::Pending => None,
        });
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Full(bytes) => bytes.is_none(),
            Kind::Boxed(body) => body.is_end_stream(),
            Kind::Upstream(streamed) => streamed.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Kind::Boxed(body) => body.size_hint(),
            Kind::Upstream(streamed) => streamed.inner.size_hint(),
        }
    }
}
