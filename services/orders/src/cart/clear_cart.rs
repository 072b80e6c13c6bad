//! `DELETE /v1/cart`: removes every item from the cart.

use axum::{extract::State, http::StatusCode};
use souk_http::{Problem, ProblemBody, auth::User};

use super::store;
use crate::App;

/// Remove everything from the cart
///
/// Succeeds also if the cart is empty.
#[utoipa::path(delete, path = "/v1/cart", tag = "cart", security(("bearer" = [])),
    responses((status = 204, description = "The cart is empty"),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody)))]
pub async fn clear_cart(State(app): State<App>, User(claims): User) -> Result<StatusCode, Problem> {
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        store::take(&mut conn, claims.sub).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
