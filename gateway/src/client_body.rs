//! A client's body. Wherever a request is refused or given up, its body is dropped, and this reads on for a moment: to
//! close a connection on unread data makes TCP throw away the answer that explains the refusal.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::body::BoxError;

/// How long the rest of a body that nobody wants is read, and how much of it.
const LINGER: Duration = Duration::from_secs(2);
const LINGERED: usize = 8 << 20;

/// The body, counted.
#[derive(Debug)]
pub struct ClientBody {
    inner: Option<Incoming>,
    /// What may still come.
    left: usize,
    upload: Arc<Upload>,
    /// Set when the client's connection sent what is not HTTP; hyper would accept some of it.
    malformed: Arc<AtomicBool>,
    /// The client sends it only when asked to, which reading does.
    waits: bool,
}

/// How reading a client's body ended. It outlives the body.
#[derive(Debug, Default)]
pub struct Upload(OnceLock<UploadEnd>);

/// See [`Upload`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadEnd {
    /// All of it was read, at this time.
    Complete(Instant),
    /// It was larger than the limit.
    TooLarge,
    /// It was malformed, or the client closed the connection.
    Broken,
}

impl Upload {
    /// How it ended; `None` while the client is still sending.
    #[must_use]
    pub fn end(&self) -> Option<UploadEnd> {
        self.0.get().copied()
    }

    fn ended(&self, end: UploadEnd) {
        let _ = self.0.set(end);
    }
}

impl ClientBody {
    /// Takes over a request's body, which may have `limit` bytes. It fails once `malformed` is set.
    pub fn of(request: Request<Incoming>, limit: usize, malformed: &Arc<AtomicBool>) -> Request<Self> {
        let waits = request.headers().contains_key(header::EXPECT);
        request.map(|inner| Self {
            inner: (!inner.is_end_stream()).then_some(inner),
            left: limit,
            upload: Arc::default(),
            malformed: Arc::clone(malformed),
            waits,
        })
    }

    /// How reading it ends.
    #[must_use]
    pub fn upload(&self) -> &Arc<Upload> {
        &self.upload
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
        this.waits = false;
        let frame = ready!(Pin::new(&mut *inner).poll_frame(cx));
        if matches!(frame, Some(Err(_))) || this.malformed.load(Ordering::Relaxed) {
            this.upload.ended(UploadEnd::Broken);
            return Poll::Ready(Some(Err("the body is malformed or incomplete".into())));
        }
        if let Some(Ok(frame)) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = this.left.checked_sub(length) else {
                this.upload.ended(UploadEnd::TooLarge);
                return Poll::Ready(Some(Err("the body is over the limit".into())));
            };
            this.left = rest;
        }
        // Once a body with a known length has delivered its last frame, hyper does not poll it again.
        if frame.is_none() || inner.is_end_stream() {
            this.upload.ended(UploadEnd::Complete(Instant::now()));
        }
        if frame.is_none() {
            this.inner = None;
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for ClientBody {
    fn drop(&mut self) {
        let unread = self
            .inner
            .take()
            .filter(|inner| !inner.is_end_stream() && !self.waits);
        if let (Some(inner), Ok(runtime)) = (unread, tokio::runtime::Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(LINGER, read_on(inner)));
        }
    }
}

async fn read_on(inner: Incoming) {
    let (mut inner, mut left) = (pin!(inner), LINGERED);
    while let Some(Ok(frame)) = inner.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else {
            return;
        };
        left = rest;
    }
}
