//! Watches what a client sends for a head that has both `Content-Length` and `Transfer-Encoding`: two readers could
//! disagree about where such a request ends, which is how requests are smuggled (RFC 9112, 6.3). hyper resolves it
//! silently and hides the first header, so it must be seen before hyper reads.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A client's connection, watched.
#[derive(Debug)]
pub struct Watched {
    stream: TcpStream,
    scanner: Scanner,
    ambiguous: Arc<AtomicBool>,
}

impl Watched {
    /// Watches `stream`; the flag is set before hyper sees the ambiguous head.
    pub fn new(stream: TcpStream) -> (Self, Arc<AtomicBool>) {
        let ambiguous = Arc::new(AtomicBool::new(false));
        (
            Self {
                stream,
                scanner: Scanner::default(),
                ambiguous: ambiguous.clone(),
            },
            ambiguous,
        )
    }
}

/// Follows the framing of HTTP/1.1: heads by lines, bodies by their length or chunks.
#[derive(Debug, Default)]
struct Scanner {
    state: State,
    /// The current line's beginning, as far as it matters.
    line: Vec<u8>,
    length: Option<u64>,
    chunked: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Head,
    Body(u64),
    ChunkSize,
    /// A chunk's data and its line end.
    Chunk(u64),
    Trailers,
    /// Not understood; hyper refuses it and closes.
    Lost,
}

const LINE: usize = 64;

impl Scanner {
    /// Takes the next bytes; true if they complete an ambiguous head.
    fn take(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            match self.state {
                State::Lost => return false,
                State::Body(left) | State::Chunk(left) => {
                    let step = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = &bytes[step..];
                    let left = left - step as u64;
                    self.state = match self.state {
                        State::Body(_) if left == 0 => State::Head,
                        State::Body(_) => State::Body(left),
                        _ if left == 0 => State::ChunkSize,
                        _ => State::Chunk(left),
                    };
                }
                State::Head | State::ChunkSize | State::Trailers => {
                    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                        self.keep(bytes);
                        return false;
                    };
                    self.keep(&bytes[..end]);
                    bytes = &bytes[end + 1..];
                    if self.end_of_line() {
                        return true;
                    }
                    self.line.clear();
                }
            }
        }
        false
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE.saturating_sub(self.line.len()).min(bytes.len());
        self.line.extend_from_slice(&bytes[..room]);
    }

    fn end_of_line(&mut self) -> bool {
        let line = self.line.trim_ascii_end();
        match self.state {
            State::Head if line.is_empty() => {
                // Blank lines before a request line are allowed, and change nothing.
                let (length, chunked) = (self.length.take(), std::mem::take(&mut self.chunked));
                self.state = match (length, chunked) {
                    (Some(_), true) => return true,
                    (_, true) => State::ChunkSize,
                    (Some(length), _) if length > 0 => State::Body(length),
                    _ => State::Head,
                };
            }
            State::Head => {
                if let Some(value) = field(line, b"content-length:") {
                    let digits = std::str::from_utf8(value)
                        .ok()
                        .and_then(|text| text.trim().parse().ok());
                    self.length = Some(digits.unwrap_or(0));
                } else if field(line, b"transfer-encoding:").is_some() {
                    self.chunked = true;
                }
            }
            State::ChunkSize => {
                let digits = line
                    .split(|byte| *byte == b';')
                    .next()
                    .unwrap_or_default()
                    .trim_ascii();
                let size = std::str::from_utf8(digits)
                    .ok()
                    .and_then(|text| u64::from_str_radix(text, 16).ok());
                self.state = match size {
                    Some(0) => State::Trailers,
                    Some(size) => size.checked_add(2).map_or(State::Lost, State::Chunk),
                    None => State::Lost,
                };
            }
            State::Trailers if line.is_empty() => self.state = State::Head,
            _ => {}
        }
        false
    }
}

fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(value)
}

impl AsyncRead for Watched {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        if this.scanner.take(&buf.filled()[before..]) {
            this.ambiguous.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
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

    fn ambiguous(text: &str) -> bool {
        // In every cutting, since the network may cut anywhere.
        let found: Vec<_> = (1..=text.len())
            .map(|size| {
                let mut scanner = Scanner::default();
                text.as_bytes().chunks(size).any(|chunk| scanner.take(chunk))
            })
            .collect();
        assert!(
            found.iter().all(|one| *one == found[0]),
            "depends on the cutting: {text:?}"
        );
        found[0]
    }

    #[test]
    fn sees_both_headers_in_one_head_only() {
        let both = "POST / HTTP/1.1\r\ncontent-length: 4\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(ambiguous(both));
        assert!(ambiguous(
            "POST / HTTP/1.1\r\nTransfer-Encoding : x\r\nTransfer-Encoding: chunked\r\nContent-Length:4\r\n\r\n"
        ));
        let plain = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
        let chunked =
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX: y\r\n\r\n";
        assert!(!ambiguous(&format!(
            "{plain}{chunked}GET / HTTP/1.1\r\n\r\n{plain}"
        )));
        assert!(
            ambiguous(&format!("{plain}{chunked}{both}")),
            "a pipelined one counts too"
        );
        let inside = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{both}", both.len());
        assert!(!ambiguous(&inside), "in a body it is only text");
    }
}
