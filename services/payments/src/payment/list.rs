//! `GET /v1/payments`: one's own, or all for an operator; of one order with `order_id`.

use axum::extract::State;
use contracts::{OrderId, PaymentId};
use serde::Deserialize;
use souk_http::{
    Json, Problem, ProblemBody, Query,
    auth::User,
    page::{self, Limit, Page},
};
use utoipa::IntoParams;

use super::{
    store::{self, Filter},
    view::{self, PaymentView},
};
use crate::{App, error::Error};

/// Which payments.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListPayments {
    /// Only of this order.
    order_id: Option<OrderId>,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List payments
///
/// Newest first.
#[utoipa::path(get, path = "/v1/payments", tag = "payments", params(ListPayments), security(("bearer" = [])),
    responses((status = 200, body = Page<PaymentView>), (status = 401, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(crate) async fn list_payments(
    State(app): State<App>,
    User(claims): User,
    Query(query): Query<ListPayments>,
) -> Result<Json<Page<PaymentView>>, Problem> {
    let before: Option<PaymentId> = query.cursor.as_deref().map(page::decode).transpose()?;
    let filter = Filter {
        order: query.order_id,
        owner: (!claims.is_admin()).then_some(claims.sub),
        before,
        ..Filter::default()
    };
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await.map_err(Error::from)?;
        let found = store::list(&mut conn, filter, i64::from(query.limit.get()) + 1)
            .await
            .map_err(Error::from)?;
        let views = view::of(&mut conn, found).await.map_err(Error::from)?;
        Ok(Json(Page::of(views, query.limit, |payment| payment.id)))
    })
    .await
}
