//! `GET /v1/cart`: returns the caller's cart.

use axum::extract::State;
use souk_http::{Json, Problem, ProblemBody, auth::User};

use super::{CartView, store};
use crate::App;

/// Get the caller's cart
///
/// Returns the SKUs and quantities in the cart; a user who has added nothing has an empty cart.
#[utoipa::path(get, path = "/v1/cart", tag = "cart", security(("bearer" = [])),
    responses((status = 200, description = "The cart", body = CartView),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody)))]
pub async fn get_cart(State(app): State<App>, User(claims): User) -> Result<Json<CartView>, Problem> {
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        let items = store::items(&mut conn, claims.sub).await?;
        Ok(Json(CartView { items }))
    })
    .await
}
