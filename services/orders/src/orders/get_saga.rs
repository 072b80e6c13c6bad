//! `GET /v1/orders/{id}/saga`: the timelines of an order's checkout and of its returns.

use axum::extract::State;
use contracts::OrderId;
use souk_http::{Json, Path, Problem, ProblemBody, auth::User};

use crate::{
    App,
    error::Error,
    saga::timeline::{self, OrderSagas},
};

/// Get the timeline of a checkout, and those of the order's returns
#[utoipa::path(get, path = "/v1/orders/{id}/saga", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path)),
    responses((status = 200, body = OrderSagas), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
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
