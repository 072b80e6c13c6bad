//! `GET /v1/orders`: lists the caller's orders, newest first, or all orders for an operator.

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

/// Filter and page of a list of orders.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListOrders {
    /// Return only orders with this status.
    status: Option<OrderStatus>,
    /// Return the orders of all users. Only operators may set it.
    #[serde(default)]
    all: bool,
    /// Maximum number of orders in the page, 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// The `next_cursor` of the previous page; absent for the first page.
    cursor: Option<String>,
}

/// List the caller's orders
///
/// Returns orders newest first. An operator who sets `all` gets the orders of all users instead.
#[utoipa::path(get, path = "/v1/orders", tag = "orders", params(ListOrders), security(("bearer" = [])),
    responses((status = 200, description = "A page of orders", body = Page<OrderView>),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller has set `all` and is not an operator", body = ProblemBody),
        (status = 422, description = "A parameter is unknown or not valid", body = ProblemBody)))]
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
