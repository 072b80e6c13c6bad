//! A limit on how long a client may leave an answer unread. hyper waits for ever when a socket takes no more bytes; here
//! the wait ends, whatever the answer is: a file, a stream, or an upstream's. The connection is then reset, so that the
//! kernel drops what it still holds for the client.
//!
//! The same holds after the end: a connection that is simply closed while its client does not read stays in the kernel with
//! all that was written to it, and the client is never told. So the socket is kept until the client has closed its side,
//! which it does when it has read everything, or it is reset, too.

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

/// Bytes that the kernel holds for a client before more have to wait: half of them must be read for a write to go on.
const UNSENT: u32 = 128 << 10;

/// A client's connection, on which a write fails when it makes no progress for a while. `G` is kept until the socket is
/// closed: the connection's share of limits.
#[derive(Debug)]
pub struct Unstalled<G: Send + 'static> {
    /// `None` only while it is being dropped.
    stream: Option<TcpStream>,
    guard: Option<G>,
    limit: Duration,
    /// Made when a write first has to wait, and used again.
    timer: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
    /// The client has closed its side, or the connection is broken.
    has_ended: bool,
}

impl<G: Send + 'static> Unstalled<G> {
    /// Limits the time without progress on `stream`.
    pub fn new(stream: TcpStream, limit: Duration, guard: G) -> Self {
        let socket = SockRef::from(&stream);
        // Without it, a write that waits for a slow client ends only when a third of the kernel's buffer, up to megabytes, has
        // been read. Where the system does not have these options, the limit is only less exact.
        let _ = socket.set_tcp_notsent_lowat(UNSENT);
        // Also ends connections on which no write ever has to wait: of a client that has vanished without a word while nothing
        // more is written, as in a quiet stream; that has closed its side and does not read; or that sends many requests
        // whose small answers all fit into the kernel's buffer. Longer than everything here, because the kernel does not
        // say so to a client that is still there.
        let _ = socket.set_tcp_user_timeout(Some(limit + limit / 3));
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

    fn bound(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
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
            "the client does not read its answer",
        )))
    }
}

impl<G: Send + 'static> Drop for Unstalled<G> {
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

/// Ends the connection, and waits for a while until the client has done so, too.
async fn close<G>(mut stream: TcpStream, linger: Duration, guard: G) {
    let ends = async {
        stream.shutdown().await?;
        let mut unwanted = [0; 1024];
        while stream.read(&mut unwanted).await? > 0 {}
        io::Result::Ok(())
    };
    if tokio::time::timeout(linger, ends).await.is_err() {
        reset_when_closed(&stream);
    }
    drop((stream, guard));
}

/// Makes the kernel throw away what it holds for the client, and say so to it, instead of trying to deliver it.
fn reset_when_closed(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

impl<G: Send + Unpin + 'static> AsyncRead for Unstalled<G> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (room, before) = (buf.remaining(), buf.filled().len());
        let read = ready!(this.stream()?.poll_read(cx, buf));
        this.has_ended |= read.is_err() || (room > 0 && buf.filled().len() == before);
        Poll::Ready(read)
    }
}

impl<G: Send + Unpin + 'static> AsyncWrite for Unstalled<G> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = this.stream()?.poll_write(cx, buf);
        this.bound(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = this.stream()?.poll_write_vectored(cx, bufs);
        this.bound(cx, written)
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
