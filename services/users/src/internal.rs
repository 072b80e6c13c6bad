//! `/internal/v1`: for the gateway, which never routes it.

use axum::{extract::State, response::IntoResponse};
use http::header;
use serde::{Deserialize, Serialize};
use souk_http::{Json, Problem};

use crate::{account, app, keyring, token};

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

/// An access token for an API key; 401 for a key that is none, or whose account may not log in.
pub(crate) async fn exchange_api_key(
    State(app): State<app::State>,
    Json(request): Json<ExchangeRequest>,
) -> Result<impl IntoResponse, Problem> {
    let mut connection = app.pool.acquire().await?;
    // Once a minute is precise enough for "last used", and keeps a busy key from being a busy row.
    let owner = sqlx::query_scalar!(
        "WITH used AS (
             UPDATE api_keys SET last_used_at = now()
             WHERE sha256 = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
         ) SELECT user_id FROM api_keys WHERE sha256 = $1",
        &token::hash(&request.key)[..]
    )
    .fetch_optional(&mut *connection)
    .await?;
    let account = match owner {
        Some(owner) => account::find(&mut connection, owner.into()).await?,
        None => None,
    };
    let Some(account) = account.filter(account::Account::is_usable) else {
        return Err(Problem::unauthorized("The API key is not valid, or no longer."));
    };
    let access_token = app
        .keyring
        .sign(account.profile.id, &account.profile.roles, None)
        .await?;
    let response = ExchangeResponse {
        access_token,
        token_type: "Bearer",
        expires_in: keyring::TOKEN_SECONDS,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(response)))
}
