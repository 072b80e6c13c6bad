//! Limits how long a client may leave a response unread. When a socket accepts no more bytes, hyper waits without a
//! limit; here the wait times out for every kind of response. On HTTP/2, see also `message::unread`. The connection is then reset, so that the kernel drops
//! the data that it still holds for the client.
//!
//! The limit also applies after the end of a response. A connection that is closed while its client does not read stays
//! in the kernel with all its unsent data, and the client is not notified. So the socket is kept open until the client
//! has closed its side, which it does after reading everything, or until a timeout, after which it is reset as well.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    runtime::Handle,
    time::{Instant, Sleep},
};

/// Bytes of unsent data that the kernel holds for a client before a write has to wait. A waiting write continues once
/// half of them have been sent.
const UNSENT: u32 = 128 << 10;
/// How much later than our own timeout the kernel's ends a connection. The kernel counts from the last byte that the client
/// accepted, our timeout from the first write that has to wait; on a busy machine, seconds may lie in between. Ours should
/// be first, because the kernel does not notify the client.
const KERNEL_SLACK: Duration = Duration::from_secs(10);

/// A client's connection on which a write fails if it makes no progress within the limit. The guard `G`, such as the
/// connection's permit, is held until the socket is closed.
#[derive(Debug)]
pub(crate) struct StallTimeout<G: Send + 'static> {
    /// `None` only while the connection is being dropped.
    stream: Option<TcpStream>,
    guard: Option<G>,
    limit: Duration,
    /// Created when a write first has to wait, and then reused.
    timer: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
    /// Whether the client has closed its side, or the connection has failed.
    has_ended: bool,
}

impl<G: Send + 'static> StallTimeout<G> {
    /// Wraps `stream`, whose writes then fail after `limit` without progress.
    pub(crate) fn new(stream: TcpStream, limit: Duration, guard: G) -> Self {
        let socket = SockRef::from(&stream);
        // By default, a waiting write continues only after the client has read a third of the kernel's buffer, which
        // may be megabytes. On systems without these socket options, the limit is less exact.
        let _ = socket.set_tcp_notsent_lowat(UNSENT);
        // This also ends connections on which no write ever waits: the client has vanished while nothing more is
        // written, as in an idle stream; or it has closed its side and does not read; or it sends many requests whose
        // small responses all fit into the kernel's buffer.
        let _ = socket.set_tcp_user_timeout(Some(limit + KERNEL_SLACK));
        Self {
            stream: Some(stream),
            guard: Some(guard),
            limit,
            timer: None,
            is_waiting: false,
            has_ended: false,
        }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.stream.as_mut().map(Pin::new);
        stream.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Starts, checks or resets the timeout, depending on whether the write has to wait.
    fn limit_wait(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.is_waiting = false;
            return written;
        }
        let limit = self.limit;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        if !self.is_waiting {
            self.is_waiting = true;
            timer.as_mut().reset(Instant::now() + limit);
        }
        ready!(timer.as_mut().poll(cx));
        self.has_ended = true;
        if let Some(stream) = &self.stream {
            reset_when_closed(stream);
        }
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client does not read the response",
        )))
    }
}

impl<G: Send + 'static> Drop for StallTimeout<G> {
    fn drop(&mut self) {
        let (guard, linger) = (self.guard.take(), self.limit / 2);
        if self.has_ended {
            return;
        }
        if let (Some(stream), Ok(runtime)) = (self.stream.take(), Handle::try_current()) {
            runtime.spawn(close(stream, linger, guard));
        }
    }
}

/// Closes our side of the connection and waits up to `linger` until the client has closed its side; otherwise resets
/// it.
async fn close<G>(mut stream: TcpStream, linger: Duration, guard: G) {
    let ends = async {
        stream.shutdown().await?;
        let mut discarded = [0; 1024];
        while stream.read(&mut discarded).await? > 0 {}
        io::Result::Ok(())
    };
    if tokio::time::timeout(linger, ends).await.is_err() {
        reset_when_closed(&stream);
    }
    drop((stream, guard));
}

/// Makes the next close reset the connection: the kernel drops unsent data and notifies the client.
fn reset_when_closed(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

impl<G: Send + Unpin + 'static> AsyncRead for StallTimeout<G> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (room, before) = (buf.remaining(), buf.filled().len());
        let read = ready!(this.stream()?.poll_read(cx, buf));
        this.has_ended |= read.is_err() || (room > 0 && buf.filled().len() == before);
        Poll::Ready(read)
    }
}

impl<G: Send + Unpin + 'static> AsyncWrite for StallTimeout<G> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = this.stream()?.poll_write(cx, buf);
        this.limit_wait(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = this.stream()?.poll_write_vectored(cx, bufs);
        this.limit_wait(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_shutdown(cx)
    }
}
