//! Bodies on their way through: frames are handed on as they come, never collected. An answer's gives its connection back
//! to the pool when it has ended.

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

use crate::{
    client_body::{ClientBody, Upload},
    upstream::Lease,
};

/// What a body can fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A request's body on its way to an upstream.
#[derive(Debug)]
pub enum RequestBody {
    /// None, or one that is already here.
    Full(Option<Bytes>),
    /// The client's.
    Client(ClientBody),
}

impl RequestBody {
    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::Full(None)
    }

    /// How reading the client's body ends.
    #[must_use]
    pub fn upload(&self) -> Option<Arc<Upload>> {
        match self {
            Self::Full(_) => None,
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
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_none(),
            Self::Client(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Client(body) => body.size_hint(),
        }
    }
}

/// When an answer ends, whether or not its upstream is done.
#[derive(Debug)]
pub enum Patience {
    /// At this time, whatever has come.
    Until(Instant),
    /// A stream: after this much silence, or when the gateway drains, which is an orderly end.
    Idle(Duration, CancellationToken),
}

/// An answer's body on its way to the client.
#[derive(Debug)]
pub struct ResponseBody(Kind);

#[derive(Debug)]
enum Kind {
    Full(Option<Bytes>),
    File(UnsyncBoxBody<Bytes, BoxError>),
    Upstream(Box<Streamed>),
}

#[derive(Debug)]
struct Streamed {
    inner: Incoming,
    lease: Option<Lease>,
    patience: Patience,
    /// Both are made when the body first has to wait: most are there at once.
    timer: Option<Pin<Box<Sleep>>>,
    drain: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl ResponseBody {
    /// A body that is here.
    #[must_use]
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self(Kind::Full((!bytes.is_empty()).then_some(bytes)))
    }

    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self(Kind::Full(None))
    }

    /// A file's.
    #[must_use]
    pub fn file(body: impl Body<Data = Bytes, Error = BoxError> + Send + 'static) -> Self {
        Self(Kind::File(body.boxed_unsync()))
    }

    /// An upstream's. The lease ends with it.
    #[must_use]
    pub fn streamed(inner: Incoming, lease: Lease, patience: Patience) -> Self {
        if inner.is_end_stream() {
            lease.give_back();
            return Self::empty();
        }
        Self(Kind::Upstream(Box::new(Streamed {
            inner,
            lease: Some(lease),
            patience,
            timer: None,
            drain: None,
        })))
    }
}

impl Streamed {
    /// What ends an answer of which nothing more has come yet.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Patience::Idle(_, drain) = &self.patience {
            let drain = self
                .drain
                .get_or_insert_with(|| Box::pin(drain.clone().cancelled_owned()));
            if drain.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
        }
        let timer = self.timer.get_or_insert_with(|| {
            Box::pin(match self.patience {
                Patience::Until(time) => tokio::time::sleep_until(time.into()),
                Patience::Idle(time, _) => tokio::time::sleep(time),
            })
        });
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Some(Err("the answer took too long".into())))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) else {
            return self.wait(cx);
        };
        if let (Some(timer), Patience::Idle(time, _)) = (&mut self.timer, &self.patience) {
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
            lease.give_back();
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
        match &mut self.get_mut().0 {
            Kind::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::File(file) => Pin::new(file).poll_frame(cx),
            Kind::Upstream(streamed) => streamed.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Full(bytes) => bytes.is_none(),
            Kind::File(file) => file.is_end_stream(),
            Kind::Upstream(streamed) => streamed.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Kind::File(file) => file.size_hint(),
            Kind::Upstream(streamed) => streamed.inner.size_hint(),
        }
    }
}
