//! Detects requests with ambiguous framing: two servers could disagree about where such a request ends, which is how
//! requests are smuggled (RFC 9112, section 6.3). A head is ambiguous if it has both `Content-Length` and
//! `Transfer-Encoding`, or one of them twice, or a length or chunk size that is not a plain number. hyper accepts some
//! of these and hides others, so they must be detected before hyper reads them. Such a request is rejected, never
//! interpreted.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::InspectReader;

/// Scans the bytes that are read from a client's connection for ambiguous framing. The returned flag is set before hyper sees
/// the malformed line.
pub(crate) fn watch<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
) -> (impl AsyncRead + AsyncWrite + Unpin, Arc<AtomicBool>) {
    let malformed = Arc::<AtomicBool>::default();
    let found = Arc::clone(&malformed);
    let mut scanner = Scanner::default();
    let inspect = move |bytes: &[u8]| {
        if scanner.scan(bytes) {
            found.store(true, Ordering::Relaxed);
        }
    };
    (InspectReader::new(stream, inspect), malformed)
}

/// Follows the framing of HTTP/1.1: reads heads line by line, and skips bodies by their length or chunks.
#[derive(Debug, Default)]
struct Scanner {
    state: State,
    /// The beginning of the current line, at most `MAX_LINE` bytes.
    line: Vec<u8>,
    /// Whether the current line is longer than `MAX_LINE`.
    truncated: bool,
    length: Option<u64>,
    chunked: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Head,
    /// A body with this many bytes left.
    Body(u64),
    ChunkSize,
    /// A chunk with this many bytes left, including the line end after its data.
    Chunk(u64),
    Trailers,
    /// A line was malformed. Further bytes are ignored, because the connection will be closed.
    Failed,
}

/// Bytes of a line that are kept: enough for the name and the value of every field that matters here.
const MAX_LINE: usize = 64;

/// The current line is malformed.
struct Malformed;

impl Scanner {
    /// Scans the next bytes. Returns true if they complete a malformed line.
    fn scan(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            match self.state {
                State::Failed => return false,
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
                        self.buffer(bytes);
                        return false;
                    };
                    self.buffer(&bytes[..end]);
                    bytes = &bytes[end + 1..];
                    if self.end_of_line().is_err() {
                        self.state = State::Failed;
                        return true;
                    }
                    self.line.clear();
                    self.truncated = false;
                }
            }
        }
        false
    }

    fn buffer(&mut self, bytes: &[u8]) {
        let room = MAX_LINE.saturating_sub(self.line.len()).min(bytes.len());
        self.line.extend_from_slice(&bytes[..room]);
        self.truncated |= room < bytes.len();
    }

    fn end_of_line(&mut self) -> Result<(), Malformed> {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        match self.state {
            State::Head if line.is_empty() => {
                // Blank lines before a request line are allowed and leave the state unchanged.
                let (length, chunked) = (self.length.take(), std::mem::take(&mut self.chunked));
                self.state = match (length, chunked) {
                    (Some(_), true) => return Err(Malformed),
                    (_, true) => State::ChunkSize,
                    (Some(length), _) if length > 0 => State::Body(length),
                    _ => State::Head,
                };
            }
            State::Head => {
                if let Some(value) = field(line, b"content-length:") {
                    let length = number(value.trim_ascii(), 10).filter(|_| !self.truncated);
                    if self.length.replace(length.ok_or(Malformed)?).is_some() {
                        return Err(Malformed);
                    }
                } else if let Some(value) = field(line, b"transfer-encoding:") {
                    let known = !self.truncated && value.trim_ascii().eq_ignore_ascii_case(b"chunked");
                    if !known || std::mem::replace(&mut self.chunked, true) {
                        return Err(Malformed);
                    }
                }
            }
            State::ChunkSize => {
                let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
                let size = number(digits, 16).ok_or(Malformed)?;
                self.state = match size {
                    0 => State::Trailers,
                    _ => State::Chunk(size.checked_add(2).ok_or(Malformed)?),
                };
            }
            State::Trailers if line.is_empty() => self.state = State::Head,
            _ => {}
        }
        Ok(())
    }
}

/// Parses a number in its shortest form: digits only, no leading zeros, within 64 bits.
fn number(text: &[u8], radix: u32) -> Option<u64> {
    let plain = text.iter().all(|byte| char::from(*byte).is_digit(radix));
    let shortest = text.len() == 1 || text.first().is_some_and(|first| *first != b'0');
    let text = std::str::from_utf8(text).ok().filter(|_| plain && shortest)?;
    u64::from_str_radix(text, radix).ok()
}

/// The value of a header line if its field name is `name`, which includes the colon.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn malformed(text: &str) -> bool {
        // Try every chunk size, because the network may split the bytes anywhere.
        let found: Vec<_> = (1..=text.len())
            .map(|size| {
                let mut scanner = Scanner::default();
                text.as_bytes().chunks(size).any(|chunk| scanner.scan(chunk))
            })
            .collect();
        assert!(
            found.iter().all(|one| *one == found[0]),
            "the result depends on the chunk size: {text:?}"
        );
        found[0]
    }

    #[test]
    fn rejects_both_length_headers_only_within_one_head() {
        let both = "POST / HTTP/1.1\r\ncontent-length: 4\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(malformed(both));
        assert!(malformed(
            "POST / HTTP/1.1\r\nTransfer-Encoding : x\r\nTransfer-Encoding: chunked\r\nContent-Length:4\r\n\r\n"
        ));
        let plain = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
        let chunked =
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX: y\r\n\r\n";
        assert!(!malformed(&format!(
            "{plain}{chunked}GET / HTTP/1.1\r\n\r\n{plain}"
        )));
        assert!(
            malformed(&format!("{plain}{chunked}{both}")),
            "a pipelined request is checked as well"
        );
        let inside = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{both}", both.len());
        assert!(!malformed(&inside), "the text of a body is not checked");
    }

    #[test]
    fn rejects_lengths_that_are_not_plain_numbers() {
        let head = |fields: &str| malformed(&format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n"));
        for good in ["0", "5", " 5", "5 ", "\t17\t", "18446744073709551615"] {
            assert!(!head(&format!("Content-Length:{good}")), "{good:?}");
        }
        let padded = format!("{}5", " ".repeat(60));
        let zeros = format!("{}5", "0".repeat(60));
        for bad in [
            "",
            "05",
            "00",
            "+5",
            "-5",
            "5 5",
            "5, 5",
            "5,6",
            "0x5",
            "18446744073709551616",
            &padded,
            &zeros,
        ] {
            assert!(head(&format!("Content-Length: {bad}")), "{bad:?}");
        }
        assert!(head("Content-Length: 5\r\nContent-Length: 5"), "twice");
        assert!(!head("X-Content-Length: 05"), "another field");
        for bad in ["identity", "gzip, chunked", "chunked, chunked", "", "xchunked"] {
            assert!(head(&format!("Transfer-Encoding: {bad}")), "{bad:?}");
        }
        assert!(
            head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            "twice"
        );
    }

    #[test]
    fn rejects_chunk_sizes_that_are_not_plain_numbers() {
        let chunk = |size: &str| {
            malformed(&format!(
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\nhello\r\n0\r\n\r\n"
            ))
        };
        for good in ["5", "5;name=value", &format!("5;{}", "x".repeat(100))] {
            assert!(!chunk(good), "{good:?}");
        }
        let zeros = format!("{}5", "0".repeat(80));
        for bad in [
            "",
            " 5",
            "5 ",
            "5 ;x",
            "05",
            "+5",
            "-5",
            "0x5",
            "g",
            "5\r",
            "ffffffffffffffff",
            "10000000000000005",
            &zeros,
        ] {
            assert!(chunk(bad), "{bad:?}");
        }
    }
}
