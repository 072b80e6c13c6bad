//! `DELETE /v1/cart/items/{sku}`: removes a SKU from the cart.

use axum::{extract::State, http::StatusCode};
use contracts::Sku;
use souk_http::{Path, Problem, ProblemBody, auth::User};

use super::store;
use crate::App;

/// Remove a SKU from the cart
///
/// Succeeds also if the SKU is not in the cart.
#[utoipa::path(delete, path = "/v1/cart/items/{sku}", tag = "cart", security(("bearer" = [])),
    params(("sku" = Sku, Path, description = "The SKU to remove")),
    responses((status = 204, description = "The SKU is not in the cart"),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 404, description = "The SKU in the path is not well-formed", body = ProblemBody)))]
pub async fn remove_item(
    State(app): State<App>,
    User(claims): User,
    Path(sku): Path<Sku>,
) -> Result<StatusCode, Problem> {
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        store::remove(&mut conn, claims.sub, &sku).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
