//! `GET /.well-known/jwks.json`: the public keys that verify access tokens.

use axum::{Json, extract::State, response::IntoResponse};
use http::header;
use souk_http::Problem;

use crate::keyring::Keyring;

/// Get the public keys
///
/// Returns the keys that verify access tokens as a JWK set (RFC 7517). The response can be cached for five minutes.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "auth", responses((status = 200, description = "The JWK set", body = serde_json::Value)))]
pub(crate) async fn get_jwks(State(keyring): State<Keyring>) -> Result<impl IntoResponse, Problem> {
    Ok((
        [(header::CACHE_CONTROL, "public, max-age=300")],
        Json(keyring.jwks().await?),
    ))
}
