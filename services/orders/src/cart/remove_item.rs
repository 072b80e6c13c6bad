//! `DELETE /v1/cart/items/{sku}`.

use axum::{extract::State, http::StatusCode};
use contracts::Sku;
use souk_http::{Path, Problem, ProblemBody, auth::User};

use super::store;
use crate::App;

/// Take a SKU out of the cart
///
/// The same when it was not in it.
#[utoipa::path(delete, path = "/v1/cart/items/{sku}", tag = "cart", security(("bearer" = [])),
    params(("sku" = Sku, Path)), responses((status = 204), (status = 401, body = ProblemBody)))]
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
