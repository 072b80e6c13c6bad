//! `PUT /v1/cart/items/{sku}`. Whether the SKU exists shows when the cart is displayed or ordered.

use axum::extract::State;
use contracts::{OrderItem, Quantity, Sku};
use serde::Deserialize;
use souk_http::{Json, Path, Problem, ProblemBody, auth::User};
use utoipa::ToSchema;

use super::{CartView, MAX_LINES, store};
use crate::{App, error::Error};

/// How many.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutItem {
    /// Instead of how many there were.
    quantity: Quantity,
}

/// Put so many of a SKU into the cart
#[utoipa::path(put, path = "/v1/cart/items/{sku}", tag = "cart", security(("bearer" = [])),
    params(("sku" = Sku, Path)), request_body = PutItem,
    responses((status = 200, body = CartView), (status = 401, body = ProblemBody), (status = 422, body = ProblemBody)))]
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
                Error::field("", format!("the cart has {MAX_LINES} lines, and takes no more")).into(),
            );
        }
        let items = store::items(&mut transaction, claims.sub).await?;
        transaction.commit().await?;
        Ok(Json(CartView { items }))
    })
    .await
}
