//! `DELETE /v1/cart`.

use axum::{extract::State, http::StatusCode};
use souk_http::{Problem, ProblemBody, auth::User};

use super::store;
use crate::App;

/// Empty the cart
#[utoipa::path(delete, path = "/v1/cart", tag = "cart", security(("bearer" = [])),
    responses((status = 204), (status = 401, body = ProblemBody)))]
pub async fn clear_cart(State(app): State<App>, User(claims): User) -> Result<StatusCode, Problem> {
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        store::take(&mut conn, claims.sub).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
