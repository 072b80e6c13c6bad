//! `GET /v1/orders/{id}/saga`: the timeline of an order's checkout.

use axum::extract::State;
use contracts::OrderId;
use souk_http::{Json, Path, Problem, ProblemBody, auth::User};

use super::store;
use crate::{
    App,
    error::Error,
    saga::timeline::{self, SagaView},
};

/// Get the timeline of a checkout
#[utoipa::path(get, path = "/v1/orders/{id}/saga", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path)),
    responses((status = 200, body = SagaView), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn get_saga(
    State(app): State<App>,
    User(claims): User,
    Path(id): Path<OrderId>,
) -> Result<Json<SagaView>, Problem> {
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        let owner = store::owner(&mut conn, id).await?;
        owner
            .filter(|owner| claims.is_admin() || *owner == claims.sub)
            .ok_or(Error::NotFound("order"))?;
        let saga = timeline::find(&mut conn, id.into())
            .await?
            .ok_or(Error::NotFound("order"))?;
        Ok(Json(saga))
    })
    .await
}
