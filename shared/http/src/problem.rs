//! Error responses as `application/problem+json` (RFC 9457). The text for the client and the error in the log are separate,
//! so that a response never reveals internals.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

tokio::task_local! {
    /// Path of the request that is being processed.
    pub(crate) static INSTANCE: String;
}

/// An invalid field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer to the field in the body, such as `/items/0/quantity`. For a query parameter, `/` and its name.
    #[schema(example = "/items/0/quantity")]
    pub pointer: String,
    /// Describes what is expected of the field, for a person.
    #[schema(example = "must be a whole number from 1 to 99")]
    pub detail: String,
}

impl FieldError {
    /// Creates an error for the field at `pointer`.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }
}

/// The body of an error response (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// URI that identifies the kind of problem. Clients can rely on it.
    #[schema(example = "https://souk.test/problems/invalid-request")]
    pub r#type: String,
    /// Short description of the kind of problem, for a person.
    #[schema(example = "Invalid request")]
    pub title: String,
    /// HTTP status code, the same as that of the response.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    pub status: u16,
    /// Explanation of this occurrence of the problem, for a person.
    #[schema(example = "Some fields of the request are not valid.")]
    pub detail: String,
    /// Path of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Id of the request's trace. Support finds the logs and spans of the request by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The invalid fields of the request. Only present with status 422, and for a process that is not ready with 503.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// An error response, which handlers return as the error of a `Result`.
#[derive(Debug, Clone)]
#[must_use = "a problem does nothing until it is returned"]
pub struct Problem {
    status: StatusCode,
    kind: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// Creates a problem. Its `type` is `https://souk.test/problems/{kind}`, and its `title` is `kind` in words.
    pub fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Sets the list of invalid fields.
    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Adds a `Retry-After` header in seconds.
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Adds a header to the response.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// HTTP status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Explanation of this occurrence of the problem, for a person.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The kind of problem, which is the last segment of `type`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// 404: no `what` with this id exists, or the caller may not see it.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            format!("There is no such {what}."),
        )
    }

    /// 401 with the bearer token challenge of RFC 6750.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail).header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"souk\""),
        )
    }

    /// 403: the caller is authenticated, but lacks permission.
    pub fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "Your account may not do this.",
        )
    }

    /// 403 with the challenge of RFC 6750: the access token of an API key does not have a scope that allows the request.
    pub fn insufficient_scope(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "insufficient-scope", detail).header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"souk\", error=\"insufficient_scope\""),
        )
    }

    /// 403: only a login session may do this, and the caller uses an API key.
    pub fn session_required() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "session-required",
            "This is not possible with an API key. Log in instead.",
        )
    }

    /// 409: the request conflicts with the current state, as `kind` and `detail` explain.
    pub fn conflict(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, kind, detail)
    }

    /// 422: the request is well-formed, but the listed fields are not valid.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-request",
            "Some fields of the request are not valid.",
        )
        .errors(errors)
    }

    /// 503 with `Retry-After` in seconds: the service works, but is overloaded. Circuit breakers must not count this as a
    /// failure.
    pub fn overloaded(detail: impl Into<String>, retry_after: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).retry_after(retry_after)
    }

    /// 503 with `Retry-After` of 2 seconds: a dependency is unavailable.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(2)
    }

    /// 500: an unexpected error. It is logged here, and the response has only the trace id.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(error = %format!("{error:#}"), "request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on our side. If you contact support, mention the trace id.",
        )
    }

    /// Returns the response with this problem; `instance` is the path of the request.
    #[must_use]
    pub fn into_http(self, instance: Option<String>) -> http::Response<Vec<u8>> {
        let body = ProblemBody {
            r#type: format!("https://souk.test/problems/{}", self.kind),
            title: self.title(),
            status: self.status.as_u16(),
            detail: self.detail,
            instance,
            trace_id: telemetry::current_trace_id(),
            errors: self.errors,
        };
        let mut response = http::Response::new(serde_json::to_vec(&body).unwrap_or_default());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.headers);
        response
    }

    fn title(&self) -> String {
        let mut title = self.kind.replace('-', " ");
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        title
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.into_http(INSTANCE.try_with(Clone::clone).ok())
            .map(axum::body::Body::from)
    }
}
