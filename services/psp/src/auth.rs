//! Authentication with the merchant's API key, sent as a bearer token.

use axum::{
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use souk_config::ExposeSecret;
use subtle::ConstantTimeEq;

use crate::{App, error::Error};

/// Passes the request on if it carries the merchant's key, and answers 401 otherwise.
pub(crate) async fn require_key(State(app): State<App>, request: Request, next: Next) -> Response {
    let presented = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    if bool::from(presented.as_bytes().ct_eq(app.api_key.expose_secret().as_bytes())) {
        next.run(request).await
    } else {
        Error::Unauthorized.into_response()
    }
}
