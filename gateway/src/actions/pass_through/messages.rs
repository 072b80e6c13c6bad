//! The messages of a client on their way to the service: the size of each is limited, and those of gRPC-Web in base64 are
//! decoded.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body::{Body, Frame};

use crate::message::{Activity, BoxError, ClientBody, UploadEnd, grpc::Wire};

/// Length of what comes before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// The body of a call to an upstream.
#[derive(Debug)]
pub(super) struct Messages {
    inner: ClientBody,
    /// Decodes base64, if the client uses it.
    decoder: Option<Decoder>,
    sizes: Sizes,
    activity: Arc<Activity>,
}

impl Messages {
    /// The messages in this body, of which none may have more than `limit` bytes.
    pub(super) fn new(mut inner: ClientBody, wire: Wire, limit: usize, activity: Arc<Activity>) -> Self {
        // A call may have any number of messages.
        inner.set_limit(usize::MAX);
        Self {
            inner,
            decoder: (wire == Wire::WebText).then(Decoder::default),
            sizes: Sizes::new(limit),
            activity,
        }
    }

    fn fail(&self, end: UploadEnd, reason: &'static str) -> BoxError {
        self.inner.upload().reject(end);
        reason.into()
    }

    /// Checks the data of a frame, and decodes it.
    fn accept(&mut self, data: Bytes) -> Result<Bytes, BoxError> {
        let data = match &mut self.decoder {
            Some(decoder) => decoder
                .decode(&data)
                .ok_or_else(|| self.fail(UploadEnd::Broken, "the body is not valid base64"))?,
            None => data,
        };
        if self.sizes.scan(&data) {
            Ok(data)
        } else {
            let limit = self.sizes.limit;
            Err(self.fail(UploadEnd::TooLarge(limit), "a message is larger than the limit"))
        }
    }
}

impl Body for Messages {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let Some(frame) = ready!(Pin::new(&mut this.inner).poll_frame(cx)?) else {
            return Poll::Ready(None);
        };
        this.activity.record();
        Poll::Ready(Some(match frame.into_data() {
            Ok(data) => this.accept(data).map(Frame::data),
            Err(trailers) => Ok(trailers),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}

/// Follows the lengths of messages.
#[derive(Debug)]
struct Sizes {
    limit: usize,
    prefix: [u8; PREFIX],
    /// Bytes of the prefix that have arrived.
    filled: usize,
    /// Bytes of the current message that are missing.
    left: usize,
}

impl Sizes {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            prefix: [0; PREFIX],
            filled: 0,
            left: 0,
        }
    }

    /// Follows the next bytes; false if a message is larger than the limit.
    fn scan(&mut self, mut data: &[u8]) -> bool {
        while !data.is_empty() {
            if self.left > 0 {
                let step = self.left.min(data.len());
                (self.left, data) = (self.left - step, &data[step..]);
                continue;
            }
            let step = (PREFIX - self.filled).min(data.len());
            self.prefix[self.filled..self.filled + step].copy_from_slice(&data[..step]);
            (self.filled, data) = (self.filled + step, &data[step..]);
            if self.filled == PREFIX {
                let [_, length @ ..] = self.prefix;
                self.left = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                self.filled = 0;
                if self.left > self.limit {
                    return false;
                }
            }
        }
        true
    }
}

/// Decodes base64 that arrives in parts. Each part of the text may end with padding.
#[derive(Debug, Default)]
struct Decoder {
    /// At most three characters of an incomplete group.
    rest: Vec<u8>,
}

impl Decoder {
    /// Decodes the next part; `None` if it is invalid.
    fn decode(&mut self, text: &[u8]) -> Option<Bytes> {
        self.rest.extend_from_slice(text);
        let complete = self.rest.len() / 4 * 4;
        let rest = self.rest.split_off(complete);
        let text = std::mem::replace(&mut self.rest, rest);
        let mut decoded = Vec::with_capacity(text.len() / 4 * 3);
        let (groups, _) = text.as_chunks::<4>();
        // Padding may stand only at the end of what is decoded at once.
        for part in groups.split_inclusive(|group| group[3] == b'=') {
            BASE64_STANDARD
                .decode_vec(part.as_flattened(), &mut decoded)
                .ok()?;
        }
        Some(decoded.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_within_the_limit_are_accepted() {
        let message = |length: u8| [&[0, 0, 0, 0, length][..], &vec![7; usize::from(length)][..]].concat();
        let body = [message(10), message(0), message(3)].concat();
        for size in 1..=body.len() {
            let accepts = |limit| {
                let mut sizes = Sizes::new(limit);
                body.chunks(size).all(|part| sizes.scan(part))
            };
            assert!(accepts(10), "{size}");
            assert!(!accepts(9), "{size}");
        }
    }

    #[test]
    fn base64_is_decoded_in_parts_of_any_size_and_with_padding_inside() {
        let text = ["AAAA", "AAI=", "aGk=", "aGVsbG8="].concat();
        for size in 1..=text.len() {
            let mut decoder = Decoder::default();
            let bytes: Vec<u8> = text
                .as_bytes()
                .chunks(size)
                .flat_map(|part| decoder.decode(part).unwrap())
                .collect();
            assert_eq!(bytes, b"\0\0\0\0\x02hihello", "{size}");
        }
        assert!(Decoder::default().decode(b"A===").is_none());
        assert!(Decoder::default().decode(b"?AAA").is_none());
    }
}
