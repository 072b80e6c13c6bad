//! `GET /.well-known/jwks.json`.

use axum::{Json, extract::State, response::IntoResponse};
use http::header;
use souk_http::Problem;

use crate::keyring::Keyring;

/// The public keys of access tokens (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "auth", responses((status = 200, body = serde_json::Value)))]
pub(crate) async fn get_jwks(State(keyring): State<Keyring>) -> Result<impl IntoResponse, Problem> {
    Ok((
        [(header::CACHE_CONTROL, "public, max-age=300")],
        Json(keyring.jwks().await?),
    ))
}
