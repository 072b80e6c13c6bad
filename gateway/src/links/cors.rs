//! Access for web pages of other origins (the CORS protocol of the Fetch standard). Only configured origins are
//! allowed, never `*`.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::RequestContext;
use crate::{config, message::ResponseBody};

/// The CORS rules of a policy.
#[derive(Debug)]
pub struct Cors {
    origins: Vec<HeaderValue>,
    credentials: bool,
    max_age: HeaderValue,
}

/// Response headers that pages may read in addition to the safelisted ones.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "etag, location, retry-after, ratelimit, ratelimit-policy, traceresponse, x-request-id, idempotency-replayed, \
     grpc-status, grpc-message, grpc-status-details-bin",
);

impl Cors {
    /// Creates the rules from the configuration.
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

    /// The origin of the request, if it is allowed.
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

    /// Adds the headers that allow the page to read the response, if its origin is allowed.
    pub fn pass(&self, context: &mut RequestContext<'_>, headers: &HeaderMap) {
        context
            .response_headers
            .append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = self.allowed(headers) {
            self.allow(origin, &mut context.response_headers);
            context
                .response_headers
                .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }

    /// The response to a preflight request; `allow` lists the methods of the path.
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

/// The method that a preflight request asks for; `None` if the request is not a preflight.
#[must_use]
pub fn preflight_method(method: &Method, headers: &HeaderMap) -> Option<Method> {
    const WANTED: HeaderName = header::ACCESS_CONTROL_REQUEST_METHOD;
    if method != Method::OPTIONS || !headers.contains_key(header::ORIGIN) {
        return None;
    }
    headers.get(WANTED)?.to_str().ok()?.parse().ok()
}
