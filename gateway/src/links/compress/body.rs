//! A body that is compressed while it is sent.

use std::{
    io::{self, Write as _},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};

use super::Coding;
use crate::message::{BoxError, ResponseBody};

/// Compressed data is sent once there is this much of it, in bytes, or the upstream pauses.
const OUTPUT: usize = 16 << 10;
/// Maximum size of the part of a body that is compressed at once, in bytes, before other requests get their turn.
const INPUT: usize = 128 << 10;

/// Compresses a body as it arrives.
pub(super) struct Compressed {
    inner: ResponseBody,
    /// Absent once the end of the body has been compressed.
    encoder: Option<Encoder>,
    /// Whether the encoder holds back data that has arrived.
    is_behind: bool,
    trailers: Option<HeaderMap>,
}

/// A compressor that collects its output in memory.
pub(super) enum Encoder {
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
}

impl Encoder {
    /// Creates an encoder. Its level is the one that servers commonly use for responses that are generated for each
    /// request.
    pub(super) fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(vec![], 3)?),
            Coding::Brotli => Self::Brotli(Box::new(brotli::CompressorWriter::new(vec![], 4096, 4, 18))),
            Coding::Gzip => Self::Gzip(flate2::write::GzEncoder::new(vec![], flate2::Compression::new(6))),
        })
    }

    fn write(&mut self, data: &[u8]) -> io::Result<()> {
        match self {
            Self::Zstd(encoder) => encoder.write_all(data),
            Self::Brotli(encoder) => encoder.write_all(data),
            Self::Gzip(encoder) => encoder.write_all(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Zstd(encoder) => encoder.flush(),
            Self::Brotli(encoder) => encoder.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }

    /// The compressed data that has not been taken yet.
    fn output(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Zstd(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Gzip(encoder) => encoder.get_mut(),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Brotli(encoder) => Ok(encoder.into_inner()),
            Self::Gzip(encoder) => encoder.finish(),
        }
    }
}

impl Compressed {
    pub(super) fn new(inner: ResponseBody, encoder: Encoder) -> Self {
        Self {
            inner,
            encoder: Some(encoder),
            is_behind: false,
            trailers: None,
        }
    }

    /// Compresses what has arrived, up to a bound; see [`INPUT`] and [`OUTPUT`]. An empty result is the end.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<u8>, BoxError>> {
        let mut input = 0;
        while let Some(encoder) = &mut self.encoder {
            if encoder.output().len() >= OUTPUT {
                return Poll::Ready(Ok(std::mem::take(encoder.output())));
            }
            let is_late = input >= INPUT;
            match Pin::new(&mut self.inner).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        input += data.len();
                        encoder.write(&data)?;
                        self.is_behind |= !data.is_empty();
                    }
                    Err(frame) => self.trailers = frame.into_trailers().ok(),
                },
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => {
                    if let Some(encoder) = self.encoder.take() {
                        return Poll::Ready(Ok(encoder.finish()?));
                    }
                }
                Poll::Pending if self.is_behind => {
                    encoder.flush()?;
                    self.is_behind = false;
                    let output = std::mem::take(encoder.output());
                    return if output.is_empty() {
                        Poll::Pending
                    } else {
                        Poll::Ready(Ok(output))
                    };
                }
                Poll::Pending => return Poll::Pending,
            }
            if is_late {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(vec![]))
    }
}

impl Body for Compressed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let data = std::task::ready!(this.poll_data(cx))?;
        if !data.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(data.into()))));
        }
        let trailers = this.trailers.take().map(|trailers| Ok(Frame::trailers(trailers)));
        Poll::Ready(trailers)
    }
}
