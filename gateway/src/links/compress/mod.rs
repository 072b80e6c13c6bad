//! Compresses responses for clients that accept it. A body is compressed as it arrives, and what has arrived is sent as
//! soon as the upstream pauses, so that streams are not delayed.

mod accept;
mod body;

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::Body as _;

use crate::{
    config::{self, ConfigError},
    message::ResponseBody,
};
pub use accept::{Accepted, Coding};
use body::{Compressed, Encoder};

/// The rules of a `compress` link.
#[derive(Debug)]
pub struct Compress {
    min: u64,
    types: Vec<String>,
}

/// Header fields of responses whose bodies must not be changed.
const EXACT: [&str; 3] = ["content-encoding", "content-range", "content-digest"];

impl Compress {
    /// Checks that the content types have the form `type/subtype` or `type/*`.
    pub(crate) fn check(rules: &config::Compress) -> Result<(), ConfigError> {
        for kind in &rules.types {
            let parts = kind.value.split_once('/');
            let is_token = |text: &str| !text.is_empty() && !text.contains([' ', '/', ';', '*']);
            if !parts.is_some_and(|(kind, sub)| is_token(kind) && (sub == "*" || is_token(sub))) {
                let message = format!(
                    "`{}` is not a content type such as `text/html` or `text/*`",
                    kind.value
                );
                return Err(ConfigError::on(kind, message));
            }
        }
        Ok(())
    }

    /// Creates the rules from a checked configuration.
    #[must_use]
    pub fn new(rules: &config::Compress) -> Self {
        let types = rules.types.iter().map(|kind| kind.value.to_ascii_lowercase());
        Self {
            min: rules.min.0 as u64,
            types: types.collect(),
        }
    }

    /// Compresses the response if the client accepts it and it is worthwhile.
    pub fn apply(&self, accepted: Accepted, response: Response<ResponseBody>) -> Response<ResponseBody> {
        let (mut parts, body) = response.into_parts();
        let headers = &mut parts.headers;
        let has_content = ![
            StatusCode::NO_CONTENT,
            StatusCode::RESET_CONTENT,
            StatusCode::PARTIAL_CONTENT,
            StatusCode::NOT_MODIFIED,
        ]
        .contains(&parts.status);
        if !has_content || !self.has_type(headers) || is_fixed(headers) {
            return Response::from_parts(parts, body);
        }
        if !lists(headers, &header::VARY, "accept-encoding") && !lists(headers, &header::VARY, "*") {
            headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        let length = headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let is_small = length
            .or_else(|| body.size_hint().exact())
            .is_some_and(|length| length < self.min);
        let coding = accepted.best().filter(|_| !is_small);
        let Some((coding, encoder)) = coding.and_then(|coding| Some((coding, Encoder::new(coding).ok()?)))
        else {
            return Response::from_parts(parts, body);
        };
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::ACCEPT_RANGES);
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
        weaken_etag(headers);
        let body = if accepted.is_head {
            body
        } else {
            ResponseBody::boxed(Compressed::new(body, encoder))
        };
        Response::from_parts(parts, body)
    }

    /// Whether the content type of the response is one of those to compress.
    fn has_type(&self, headers: &HeaderMap) -> bool {
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        self.types.iter().any(|own| match own.strip_suffix('*') {
            Some(group) => kind.starts_with(group),
            None => *own == kind,
        })
    }
}

/// Whether the body must not be changed.
fn is_fixed(headers: &HeaderMap) -> bool {
    EXACT.iter().any(|name| headers.contains_key(*name))
        || lists(headers, &header::CACHE_CONTROL, "no-transform")
}

/// Whether a header field with a list of names contains this name.
fn lists(headers: &HeaderMap, field: &http::HeaderName, name: &str) -> bool {
    let values = headers
        .get_all(field)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut names = values.flat_map(|value| value.split(','));
    names.any(|one| one.trim().eq_ignore_ascii_case(name))
}

/// Makes a strong `ETag` weak, because the compressed body has other bytes than the one that the tag was made for (RFC
/// 9110, section 8.8.1).
fn weaken_etag(headers: &mut HeaderMap) {
    let Some(tag) = headers.get(header::ETAG) else {
        return;
    };
    if !tag.as_bytes().starts_with(b"W/")
        && let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat())
    {
        headers.insert(header::ETAG, weak);
    }
}
