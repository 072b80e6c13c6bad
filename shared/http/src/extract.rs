//! Extractors that answer a bad request with the right status and a problem that points at the mistake.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};
use serde_path_to_error::Segment;
use sha2::{Digest, Sha256};

use crate::{FieldError, Problem};

/// The largest body that is read, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// A JSON body. 415 for another content type, 413 above [`BODY_LIMIT`], 400 when it is not JSON, 422 with a pointer when
/// it does not fit `T`. As an answer, `application/json`.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        parse(&body(request).await?).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// As [`Json`], with the SHA-256 of the body's bytes, for [`crate::idempotency`].
#[derive(Debug, Clone)]
pub struct HashedJson<T> {
    /// The parsed body.
    pub value: T,
    /// Of the bytes as they came.
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

/// The query string; 422 when it does not fit `T`.
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
                // The error reads `limit: invalid digit found in string`, without a name if a parameter is unknown.
                let (pointer, detail) = match text.split_once(": ") {
                    Some((name, detail)) => (format!("/{name}"), detail.to_owned()),
                    None => (
                        named_field(&text).map_or_else(String::new, |name| format!("/{name}")),
                        text,
                    ),
                };
                Problem::invalid(vec![FieldError { pointer, detail }])
            })
    }
}

/// The path's parameters; 404 when they do not fit `T`, since no such resource can exist.
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
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The body must be application/json.",
        ));
    }
    match Limited::new(request.into_body(), BODY_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if is_too_large(&*error) => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            format!("The body is larger than {BODY_LIMIT} bytes."),
        )),
        Err(_) => Err(malformed("The body ended early.")),
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
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().clone();
        let error = error.into_inner();
        if error.classify() == serde_json::error::Category::Data {
            // Whether the rest is JSON at all decides between "not valid" and "malformed".
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
    // serde names the object for a field that is missing or unknown; the client wants the field.
    if let Some(field) = named_field(detail) {
        let field = format!("/{}", escape(field));
        if !pointer.ends_with(&field) {
            pointer.push_str(&field);
        }
    }
    FieldError::new(pointer, detail)
}

fn named_field(detail: &str) -> Option<&str> {
    ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|start| detail.strip_prefix(start)?.split('`').next())
}

/// RFC 6901.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
