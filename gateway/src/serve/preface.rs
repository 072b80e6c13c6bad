//! Recognizes HTTP/2 on a connection without TLS: its clients begin with a fixed text, the preface (RFC 9113, section 3.4),
//! without asking whether the server speaks it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

const PREFACE: [u8; 24] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose first bytes have been read already.
#[derive(Debug)]
pub(super) struct Begun<S> {
    stream: S,
    first: [u8; PREFACE.len()],
    /// The part of `first` that is still to be read again.
    unread: std::ops::Range<usize>,
}

/// Reads until it is clear whether the client speaks HTTP/2. Returns whether it does, and the connection, which can be
/// read from its beginning.
pub(super) async fn read<S: AsyncRead + Unpin>(mut stream: S) -> io::Result<(bool, Begun<S>)> {
    let (mut first, mut length) = ([0; PREFACE.len()], 0);
    while length < PREFACE.len() && first[..length] == PREFACE[..length] {
        match stream.read(&mut first[length..]).await? {
            0 => break,
            read => length += read,
        }
    }
    let begun = Begun {
        stream,
        first,
        unread: 0..length,
    };
    Ok((first == PREFACE, begun))
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.unread.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        let step = this.unread.len().min(buf.remaining());
        let start = this.unread.start;
        buf.put_slice(&this.first[start..start + step]);
        this.unread.start += step;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that sends these parts one after the other.
    async fn recognized(parts: &[&[u8]]) -> (bool, Vec<u8>) {
        let mut stream = client(parts);
        let (is_http2, mut begun) = read(&mut stream).await.unwrap();
        let mut all = vec![];
        begun.read_to_end(&mut all).await.unwrap();
        (is_http2, all)
    }

    /// Each read returns at most one part.
    fn client(parts: &[&[u8]]) -> impl AsyncRead + Unpin {
        let parts: Vec<_> = parts
            .iter()
            .map(|part| io::Result::Ok(bytes::Bytes::copy_from_slice(part)))
            .collect();
        tokio_util::io::StreamReader::new(futures::stream::iter(parts))
    }

    #[tokio::test]
    async fn http2_is_recognized_by_its_preface_and_no_byte_is_lost() {
        let frames = [&PREFACE[..], &[0; 9]].concat();
        assert_eq!(recognized(&[&frames]).await, (true, frames.clone()));
        let single: Vec<&[u8]> = frames.chunks(1).collect();
        assert_eq!(recognized(&single).await, (true, frames));
        for other in ["GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/1.1\r\n\r\n", "P", ""] {
            assert_eq!(
                recognized(&[other.as_bytes()]).await,
                (false, other.as_bytes().to_vec()),
                "{other}"
            );
        }
        let split: [&[u8]; 3] = [b"PR", b"I", b"VATE / HTTP/1.1\r\n\r\n"];
        assert_eq!(recognized(&split).await, (false, split.concat()));
    }
}
