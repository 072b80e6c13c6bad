//! `POST /internal/v1/api-keys/exchange`: exchanges an API key for an access token.

use axum::{extract::State, response::IntoResponse};
use http::header;
use serde::{Deserialize, Serialize};
use souk_http::{
    Json, Problem,
    auth::{Role, Scope},
};

use crate::{App, account, error::Error, keyring::Holder, me::api_key};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExchangeRequest {
    key: String,
}

#[derive(Serialize)]
struct ExchangeResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
}

/// Exchanges an API key for an access token that carries the key's scopes. Answers 401 if the key is unknown or has expired,
/// or if its account may not log in. Without the scope `admin`, the token does not have the role `admin`.
pub(crate) async fn exchange_api_key(
    State(app): State<App>,
    Json(request): Json<ExchangeRequest>,
) -> Result<impl IntoResponse, Problem> {
    let mut connection = app.pool.acquire().await?;
    let key = api_key::find(&mut connection, &request.key).await?;
    let key = key.ok_or(Error::ApiKey)?;
    let account = account::find(&mut connection, key.owner).await?;
    let account = account.filter(account::Account::is_usable).ok_or(Error::ApiKey)?;
    let mut roles = account.profile.roles;
    if !key.scopes.contains(&Scope::Admin) {
        roles.retain(|role| *role != Role::Admin);
    }
    let holder = Holder::ApiKey {
        scopes: key.scopes,
        expires_at: key.expires_at,
    };
    let (access_token, expires_in) = app.keyring.sign(account.profile.id, &roles, holder).await?;
    let response = ExchangeResponse {
        access_token,
        token_type: "Bearer",
        expires_in,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(response)))
}
