//! A client's request body. If it is dropped before its end, because the request was refused or has failed, the rest is
//! read and discarded for a moment. Closing a connection with unread data would make TCP drop the error response.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http::{Request, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::oneshot;

use super::{BoxError, Problem};

/// How long the rest of a dropped body is read.
const LINGER_TIME: Duration = Duration::from_secs(2);
/// How many bytes of the rest of a dropped body are read at most.
const LINGER_BYTES: usize = 8 << 20;

/// A client's body, which fails once it exceeds its size limit or its connection turns out to be malformed.
#[derive(Debug)]
pub struct ClientBody {
    inner: Option<Incoming>,
    /// Maximum size of the body, in bytes.
    limit: usize,
    /// Bytes that may still arrive.
    remaining: usize,
    upload: Arc<Upload>,
    /// Set by [`crate::serve::framing`]. Checked here because hyper accepts some malformed input.
    malformed: Arc<AtomicBool>,
    /// Whether the client has sent `Expect`. It begins to send the body only when the body is first read.
    awaits_continue: bool,
    copy: Option<BodyCopy>,
}

/// Larger bodies are not copied, in bytes.
const MAX_COPY: usize = 64 << 10;

/// The part of a body that has arrived, kept for those who want a copy.
#[derive(Debug)]
struct BodyCopy {
    data: BytesMut,
    receivers: Vec<oneshot::Sender<Bytes>>,
}

impl BodyCopy {
    /// Adds what has arrived; false if that is too much.
    fn extend(&mut self, data: &[u8]) -> bool {
        self.data.extend_from_slice(data);
        self.data.len() <= MAX_COPY
    }

    fn send(self) {
        let data = self.data.freeze();
        for receiver in self.receivers {
            let _ = receiver.send(data.clone());
        }
    }
}

/// The state of a client's upload. It is shared, so that it can be read after the body is gone.
#[derive(Debug, Default)]
pub struct Upload {
    end: OnceLock<UploadEnd>,
    /// Set if the content is not acceptable, which may be noticed after all of it has arrived.
    rejected: OnceLock<UploadEnd>,
}

/// How a client's upload ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadEnd {
    /// The whole body was read; the time is that of its last frame.
    Complete(Instant),
    /// The body is larger than the limit, in bytes.
    TooLarge(usize),
    /// The body is malformed, or the client closed the connection before its end.
    Broken,
}

impl Upload {
    /// How the upload ended; `None` while the client is still sending.
    #[must_use]
    pub fn end(&self) -> Option<UploadEnd> {
        self.rejected.get().or(self.end.get()).copied()
    }

    fn set_end(&self, end: UploadEnd) {
        let _ = self.end.set(end);
    }

    /// Records that the content is not acceptable.
    pub(crate) fn reject(&self, end: UploadEnd) {
        let _ = self.rejected.set(end);
    }
}

impl ClientBody {
    /// Wraps the body of a request. Reading it fails after `limit` bytes, or once `malformed` is set.
    pub fn wrap(request: Request<Incoming>, limit: usize, malformed: &Arc<AtomicBool>) -> Request<Self> {
        let awaits_continue = request.headers().contains_key(header::EXPECT);
        request.map(|inner| Self {
            inner: (!inner.is_end_stream()).then_some(inner),
            limit,
            remaining: limit,
            upload: Arc::default(),
            malformed: Arc::clone(malformed),
            awaits_continue,
            copy: None,
        })
    }

    /// Changes the maximum size, in bytes, before anything has been read.
    pub fn set_limit(&mut self, limit: usize) {
        (self.limit, self.remaining) = (limit, limit);
    }

    /// Sends a copy of the body once all of it has arrived, if it has at most 64 KiB. Must be called before anything has
    /// been read.
    pub fn copy_to(&mut self, receivers: Vec<oneshot::Sender<Bytes>>) {
        let copy = BodyCopy {
            data: BytesMut::new(),
            receivers,
        };
        if self.is_end_stream() {
            copy.send();
        } else if !copy.receivers.is_empty() {
            self.copy = Some(copy);
        }
    }

    /// Reads the whole body into memory.
    pub async fn read(self, deadline: Instant) -> Result<Bytes, Problem> {
        let upload = Arc::clone(self.upload());
        let collected = tokio::time::timeout_at(deadline.into(), self.collect()).await;
        match (collected, upload.end()) {
            (Ok(Ok(body)), _) => Ok(body.to_bytes()),
            (_, Some(UploadEnd::TooLarge(limit))) => Err(Problem::body_too_large(limit)),
            (Err(_), _) => Err(Problem::request_timeout("the body did not arrive in time")),
            _ => Err(Problem::bad_request("the body is malformed or incomplete")),
        }
    }

    /// The state of the upload, which stays readable after the body is dropped.
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
        this.awaits_continue = false;
        let frame = ready!(Pin::new(&mut *inner).poll_frame(cx));
        if matches!(frame, Some(Err(_))) || this.malformed.load(Ordering::Relaxed) {
            this.upload.set_end(UploadEnd::Broken);
            return Poll::Ready(Some(Err("the body is malformed or incomplete".into())));
        }
        if let Some(Ok(frame)) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(remaining) = this.remaining.checked_sub(length) else {
                this.upload.set_end(UploadEnd::TooLarge(this.limit));
                return Poll::Ready(Some(Err("the body is larger than the limit".into())));
            };
            this.remaining = remaining;
            if let (Some(copy), Some(data)) = (&mut this.copy, frame.data_ref())
                && !copy.extend(data)
            {
                this.copy = None;
            }
        }
        // Once a body with a known length has delivered its last frame, hyper does not poll it again.
        if frame.is_none() || inner.is_end_stream() {
            this.upload.set_end(UploadEnd::Complete(Instant::now()));
            if let Some(copy) = this.copy.take() {
                copy.send();
            }
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
            .filter(|inner| !inner.is_end_stream() && !self.awaits_continue);
        if let (Some(inner), Ok(runtime)) = (unread, tokio::runtime::Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(LINGER_TIME, discard(inner)));
        }
    }
}

async fn discard(inner: Incoming) {
    let (mut inner, mut remaining) = (pin!(inner), LINGER_BYTES);
    while let Some(Ok(frame)) = inner.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = remaining.checked_sub(length) else {
            return;
        };
        remaining = rest;
    }
}
