//! `GET /v1/payments`: lists the caller's payments, or all payments for an operator.

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

/// Filter and page of a list of payments.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListPayments {
    /// Return only the payment of this order.
    order_id: Option<OrderId>,
    /// Maximum number of payments in the page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// The `next_cursor` of the previous page; absent for the first page.
    cursor: Option<String>,
}

/// List payments
///
/// Lists payments with their refunds, newest first. Shoppers see their own payments, operators see all.
#[utoipa::path(get, path = "/v1/payments", tag = "payments", params(ListPayments), security(("bearer" = [])),
    responses((status = 200, description = "A page of payments", body = Page<PaymentView>),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 422, description = "A parameter is unknown or not valid", body = ProblemBody)))]
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
        let views = view::with_refunds(&mut conn, found).await.map_err(Error::from)?;
        Ok(Json(Page::of(views, query.limit, |payment| payment.id)))
    })
    .await
}
