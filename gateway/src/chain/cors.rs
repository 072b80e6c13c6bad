//! Browsers from other origins (the Fetch standard's CORS protocol). Which origins: those of the file, never `*`.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::Passage;
use crate::{body::ResponseBody, config};

/// Which origins may do what.
#[derive(Debug)]
pub struct Cors {
    origins: Vec<HeaderValue>,
    credentials: bool,
    max_age: HeaderValue,
}

/// What pages may read besides the safelisted headers.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "etag, location, retry-after, ratelimit, ratelimit-policy, traceresponse, x-request-id, idempotency-replayed",
);

impl Cors {
    /// From the file.
    #[must_use]
    pub fn new(config: &config::Cors) -> Self {
        Self {
            origins: config
                .origins
                .iter()
                .filter_map(|origin| origin.parse().ok())
                .collect(),
            credentials: config.credentials,
            max_age: HeaderValue::from(config.max_age.0.as_secs()),
        }
    }

    fn allowed<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        headers
            .get(header::ORIGIN)
            .filter(|origin| self.origins.contains(origin))
    }

    fn allow(&self, origin: &HeaderValue, answer: &mut HeaderMap) {
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.credentials {
            answer.insert(
                header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        }
    }

    /// Adds to the answer what lets the page read it.
    pub fn pass(&self, passage: &mut Passage, _method: &Method, headers: &HeaderMap) {
        passage
            .answer
            .append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = self.allowed(headers) {
            self.allow(origin, &mut passage.answer);
            passage
                .answer
                .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }

    /// Answers a preflight request.
    #[must_use]
    pub fn preflight(&self, headers: &HeaderMap, allow: &HeaderValue) -> Response<ResponseBody> {
        let mut response = Response::new(ResponseBody::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answer = response.headers_mut();
        answer.append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = self.allowed(headers) {
            self.allow(origin, answer);
            answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow.clone());
            if let Some(wanted) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
                answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
            }
            answer.insert(header::ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        }
        response
    }
}

/// Whether it is a preflight, and for which method.
#[must_use]
pub fn preflight_method(method: &Method, headers: &HeaderMap) -> Option<Method> {
    const WANTED: HeaderName = header::ACCESS_CONTROL_REQUEST_METHOD;
    if method != Method::OPTIONS || !headers.contains_key(header::ORIGIN) {
        return None;
    }
    headers.get(WANTED)?.to_str().ok()?.parse().ok()
}
