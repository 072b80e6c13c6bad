//! Extractors that reject an invalid request with the appropriate status and a problem that points to the invalid field.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};
use serde_path_to_error::Segment;
use sha2::{Digest, Sha256};

use crate::{FieldError, Problem, strict::Strict};

/// Maximum size of a request body in bytes. Larger bodies are rejected with 413.
pub const BODY_LIMIT: usize = 64 * 1024;

/// A JSON body. As an extractor it rejects other content types with 415, bodies above [`BODY_LIMIT`] with 413, malformed
/// JSON with 400, and JSON that does not match `T` with 422 and a pointer to the field. As a response it is
/// `application/json`.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        parse(&body(request).await?).map(Self)
    }
}

/// An optional body: `None` if it is empty, whatever its content type.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Option<Self>, Problem> {
        let is_json = is_json(request.headers());
        let bytes = read(request.into_body()).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if !is_json {
            return Err(not_json());
        }
        parse(&bytes).map(|value| Some(Self(value)))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Like [`Json`], but also returns the SHA-256 of the raw body, which [`crate::idempotency`] compares.
#[derive(Debug, Clone)]
pub struct HashedJson<T> {
    /// The body, deserialized from JSON.
    pub value: T,
    /// SHA-256 of the body as received, so that a change in whitespace changes it.
    pub sha256: [u8; 32],
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for HashedJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = body(request).await?;
        Ok(Self {
            value: parse(&bytes)?,
            sha256: Sha256::digest(&bytes).into(),
        })
    }
}

/// The query string. It is rejected with 422 if it does not match `T`.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| {
                let text =
                    std::error::Error::source(&rejection).map_or_else(String::new, ToString::to_string);
                let text = text
                    .replace("invalid digit found in string", "must be a whole number")
                    .replace("number too large to fit in target type", "is too large");
                // Errors read like `limit: invalid digit found in string`, but lack the name if the parameter is unknown.
                let (pointer, detail) = match text.split_once(": ") {
                    Some((name, detail)) => (format!("/{name}"), detail.to_owned()),
                    None => (
                        field_name(&text).map_or_else(String::new, |name| format!("/{name}")),
                        text,
                    ),
                };
                Problem::invalid(vec![FieldError { pointer, detail }])
            })
    }
}

/// The path parameters. They are rejected with 404 if they do not match `T`, because no such resource can exist.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| Problem::not_found("resource"))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value
        .and_then(|value| value.split(';').next())
        .map(|text| text.trim().to_ascii_lowercase());
    essence.is_some_and(|text| {
        text == "application/json" || (text.starts_with("application/") && text.ends_with("+json"))
    })
}

async fn body(request: Request<Body>) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        return Err(not_json());
    }
    read(request.into_body()).await
}

fn not_json() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "The body must be application/json.",
    )
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if is_too_large(&*error) => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload-too-large",
            format!("The body is larger than {BODY_LIMIT} bytes."),
        )),
        Err(_) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "bad-request",
            "The body is incomplete: the connection ended early.",
        )),
    }
}

fn is_too_large(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<LengthLimitError>() {
            return true;
        }
        next = error.source();
    }
    false
}

fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed-json", detail)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Strict(&mut json)).map_err(|error| {
        let path = error.path().clone();
        let error = error.into_inner();
        if error.classify() == serde_json::error::Category::Data {
            // A type error is reported before the rest is parsed. If the rest is not JSON, the body is malformed.
            if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
                return malformed(format!("The body is not JSON: {error}."));
            }
            Problem::invalid(vec![field_error(&path, &error)])
        } else {
            malformed(format!("The body is not JSON: {error}."))
        }
    })?;
    json.end()
        .map_err(|error| malformed(format!("The body is not JSON: {error}.")))?;
    Ok(value)
}

fn field_error(path: &serde_path_to_error::Path, error: &serde_json::Error) -> FieldError {
    let text = error.to_string();
    let detail = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(detail, _)| detail);
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.extend(["/", &index.to_string()]),
            Segment::Map { key } => pointer.extend(["/", &escape(key)]),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    // For a missing or unknown field, serde's path ends at the enclosing object. Append the field's name.
    if let Some(field) = field_name(detail) {
        let field = format!("/{}", escape(field));
        if !pointer.ends_with(&field) {
            pointer.push_str(&field);
        }
    }
    FieldError::new(pointer, plain(detail))
}

/// Replaces the names of Rust types in an error message of serde by what a client knows.
fn plain(detail: &str) -> String {
    let Some((found, expected)) = detail.split_once(", expected ") else {
        return detail.to_owned();
    };
    let expected = match expected {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => "a whole number",
        _ if expected.starts_with("struct ") => "an object",
        _ if expected.starts_with("enum ") => "a text",
        _ => expected,
    };
    format!("{found}, expected {expected}")
}

fn field_name(detail: &str) -> Option<&str> {
    ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|start| detail.strip_prefix(start)?.split('`').next())
}

/// Escapes a key for use in a JSON pointer (RFC 6901).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
