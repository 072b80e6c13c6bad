//! `GET /v1/orders/{id}`: returns one of the caller's orders, or any order for an operator.

use axum::extract::State;
use contracts::OrderId;
use souk_http::{Json, Path, Problem, ProblemBody, auth::User};

use super::{OrderView, store};
use crate::{App, error::Error};

/// Get an order by its id
///
/// Returns the order with its lines, shipment and returns. Shoppers see their own orders, operators see every order.
#[utoipa::path(get, path = "/v1/orders/{id}", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path, description = "Id of the order")),
    responses((status = 200, description = "The order", body = OrderView),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 404, description = "There is no such order, or it belongs to another user", body = ProblemBody)))]
pub async fn get_order(
    State(app): State<App>,
    User(claims): User,
    Path(id): Path<OrderId>,
) -> Result<Json<OrderView>, Problem> {
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        let owner = (!claims.is_admin()).then_some(claims.sub);
        let order = store::find(&mut conn, id, owner)
            .await?
            .ok_or(Error::NotFound("order"))?;
        Ok(Json(order))
    })
    .await
}
