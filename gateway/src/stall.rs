//! A limit on how long a client may leave an answer unread. hyper waits for ever when a socket takes no more bytes; here
//! the wait ends, whatever the answer is: a file, a stream, or an upstream's. The connection is then reset, so that the
//! kernel drops what it still holds for the client.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};

/// Bytes that the kernel holds for a client before more have to wait: half of them must be read for a write to go on.
const UNSENT: u32 = 128 << 10;

/// A client's connection, on which a write fails when it makes no progress for a while.
#[derive(Debug)]
pub struct Unstalled {
    stream: TcpStream,
    limit: Duration,
    /// Made when a write first has to wait, and used again.
    timer: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
}

impl Unstalled {
    /// Limits the time without progress on `stream`.
    pub fn new(stream: TcpStream, limit: Duration) -> Self {
        let socket = SockRef::from(&stream);
        // Without it, a write that waits for a slow client ends only when a third of the kernel's buffer, up to megabytes, has
        // been read. Where the system does not have these options, the limit is only less exact.
        let _ = socket.set_tcp_notsent_lowat(UNSENT);
        // Also ends connections whose client has vanished without a word while nothing more is written, as in a quiet
        // stream. Longer, because the kernel does not say so to a client that is still there.
        let _ = socket.set_tcp_user_timeout(Some(limit * 2));
        Self {
            stream,
            limit,
            timer: None,
            is_waiting: false,
        }
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
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client does not read its answer",
        )))
    }
}

impl AsyncRead for Unstalled {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Unstalled {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.bound(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.bound(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
