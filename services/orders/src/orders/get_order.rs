//! `GET /v1/orders/{id}`: one's own; any for an operator.

use axum::extract::State;
use contracts::OrderId;
use souk_http::{Json, Path, Problem, ProblemBody, auth::User};

use super::{OrderView, store};
use crate::{App, error::Error};

/// Get an order
#[utoipa::path(get, path = "/v1/orders/{id}", tag = "orders", security(("bearer" = [])), params(("id" = OrderId, Path)),
    responses((status = 200, body = OrderView), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
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
