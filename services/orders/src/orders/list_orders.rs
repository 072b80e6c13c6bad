//! `GET /v1/orders`: one's own, newest first; everybody's for an operator who asks for `all`.

use axum::extract::State;
use contracts::OrderId;
use serde::Deserialize;
use souk_http::{
    Json, Problem, ProblemBody, Query,
    auth::User,
    page::{self, Limit, Page},
};
use utoipa::IntoParams;

use super::{
    OrderStatus, OrderView,
    store::{self, Filter},
};
use crate::App;

/// Which orders.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListOrders {
    /// Only in this status.
    status: Option<OrderStatus>,
    /// Everybody's; for operators.
    #[serde(default)]
    all: bool,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List orders
#[utoipa::path(get, path = "/v1/orders", tag = "orders", params(ListOrders), security(("bearer" = [])),
    responses((status = 200, body = Page<OrderView>), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn list_orders(
    State(app): State<App>,
    User(claims): User,
    Query(query): Query<ListOrders>,
) -> Result<Json<Page<OrderView>>, Problem> {
    if query.all && !claims.is_admin() {
        return Err(Problem::forbidden());
    }
    let before: Option<OrderId> = query.cursor.as_deref().map(page::decode).transpose()?;
    let filter = Filter {
        owner: (!query.all).then_some(claims.sub),
        status: query.status,
        before,
    };
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        let orders = store::list(&mut conn, filter, i64::from(query.limit.get()) + 1).await?;
        Ok(Json(Page::of(orders, query.limit, |order| order.id)))
    })
    .await
}
