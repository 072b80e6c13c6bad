//! `GET /v1/orders/{id}/saga`: returns the timelines of an order's checkout and of its returns.

use axum::extract::State;
use contracts::OrderId;
use souk_http::{Json, Path, Problem, ProblemBody, auth::User};

use crate::{
    App,
    error::Error,
    saga::timeline::{self, OrderSagas},
};

/// Get the sagas of an order
///
/// Returns the steps of the order's checkout, and of each of its returns whose refund has started. Shoppers see their own
/// orders, operators see every order.
#[utoipa::path(get, path = "/v1/orders/{id}/saga", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path, description = "Id of the order")),
    responses((status = 200, description = "The checkout and the sagas of the returns", body = OrderSagas),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 404, description = "There is no such order, or it belongs to another user", body = ProblemBody)))]
pub async fn get_saga(
    State(app): State<App>,
    User(claims): User,
    Path(id): Path<OrderId>,
) -> Result<Json<OrderSagas>, Problem> {
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        let owner = (!claims.is_admin()).then_some(claims.sub);
        let saga = timeline::of_order(&mut conn, id, owner)
            .await?
            .ok_or(Error::NotFound("order"))?;
        Ok(Json(saga))
    })
    .await
}
