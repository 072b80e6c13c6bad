//! `PUT /v1/cart/items/{sku}`: sets the quantity of a SKU. The SKU is not looked up: whether the product exists is checked
//! when the cart is displayed or ordered.

use axum::extract::State;
use contracts::{OrderItem, Quantity, Sku};
use serde::Deserialize;
use souk_http::{Json, Path, Problem, ProblemBody, auth::User};
use utoipa::ToSchema;

use super::{CartView, MAX_LINES, store};
use crate::{App, error::Error};

/// The new quantity of a SKU in the cart.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutItem {
    /// The number of items, 1 to 99. It replaces the previous quantity.
    quantity: Quantity,
}

/// Set the quantity of a SKU in the cart
///
/// Adds the SKU if it is not in the cart. Whether the product exists is checked only when the cart is displayed or ordered.
/// A cart has at most 50 lines; adding another SKU to a full cart fails with 422.
#[utoipa::path(put, path = "/v1/cart/items/{sku}", tag = "cart", security(("bearer" = [])),
    params(("sku" = Sku, Path, description = "The SKU to set")), request_body = PutItem,
    responses((status = 200, description = "The whole cart after the change", body = CartView),
        (status = 400, description = "The body is not JSON", body = ProblemBody),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 404, description = "The SKU in the path is not well-formed", body = ProblemBody),
        (status = 422, description = "The quantity is not valid, or the cart is full", body = ProblemBody)))]
pub async fn put_item(
    State(app): State<App>,
    User(claims): User,
    Path(sku): Path<Sku>,
    Json(PutItem { quantity }): Json<PutItem>,
) -> Result<Json<CartView>, Problem> {
    souk_http::detached(async move {
        let mut transaction = app.pool.begin().await?;
        let item = OrderItem { sku, quantity };
        if !store::put(&mut transaction, claims.sub, &item).await? {
            return Err(
                Error::field("", format!("the cart already has {MAX_LINES} lines, the maximum")).into(),
            );
        }
        let items = store::items(&mut transaction, claims.sub).await?;
        transaction.commit().await?;
        Ok(Json(CartView { items }))
    })
    .await
}
