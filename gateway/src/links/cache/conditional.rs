//! Conditional requests (RFC 9110, section 13): a client that has the current response already gets 304.

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::message::ResponseBody;

/// The conditions of a request, which say what the client has stored.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    none_match: Vec<HeaderValue>,
    modified_since: Option<HeaderValue>,
}

/// The fields of a 304, as far as the response has them (RFC 9110, section 15.4.5), and its cookies, which stored responses
/// do not have.
const KEPT: [HeaderName; 9] = [
    header::AGE,
    header::CACHE_CONTROL,
    header::CONTENT_LOCATION,
    header::DATE,
    header::ETAG,
    header::EXPIRES,
    header::SET_COOKIE,
    header::VARY,
    header::VIA,
];

impl Conditions {
    /// Removes the conditions from a request.
    pub(super) fn take(headers: &mut HeaderMap) -> Self {
        let none_match = headers.get_all(header::IF_NONE_MATCH).iter().cloned().collect();
        headers.remove(header::IF_NONE_MATCH);
        Self {
            none_match,
            modified_since: headers.remove(header::IF_MODIFIED_SINCE),
        }
    }

    /// Replaces a response that the client has already by 304.
    pub(super) fn apply(&self, response: Response<ResponseBody>) -> Response<ResponseBody> {
        if response.status() != StatusCode::OK || !self.is_met(response.headers()) {
            return response;
        }
        let mut short = Response::new(ResponseBody::empty());
        *short.status_mut() = StatusCode::NOT_MODIFIED;
        for name in KEPT {
            for value in response.headers().get_all(&name) {
                short.headers_mut().append(&name, value.clone());
            }
        }
        short
    }

    /// Whether the client has the response with these fields.
    fn is_met(&self, headers: &HeaderMap) -> bool {
        if !self.none_match.is_empty() {
            let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
            let known = self.none_match.iter().filter_map(|value| value.to_str().ok());
            let mut known = known.flat_map(|value| value.split(',')).map(str::trim);
            return known.any(|known| known == "*" || Some(opaque(known)) == tag.map(opaque));
        }
        let date = |value: Option<&HeaderValue>| -> Option<SystemTime> {
            httpdate::parse_http_date(value?.to_str().ok()?).ok()
        };
        let changed = date(headers.get(header::LAST_MODIFIED));
        let known = date(self.modified_since.as_ref());
        changed
            .zip(known)
            .is_some_and(|(changed, known)| changed <= known)
    }
}

/// A tag without the mark of a weak one, for weak comparison.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}
