//! `GET /v1/payments/{id}`: returns a payment to its owner or to an operator.

use axum::extract::State;
use contracts::PaymentId;
use souk_http::{Json, Path, Problem, ProblemBody, auth::User};

use super::{
    store::{self, Filter},
    view::{self, PaymentView},
};
use crate::{App, error::Error};

/// Get a payment
///
/// Returns a payment with its refunds. Shoppers can read their own payments, operators can read all.
#[utoipa::path(get, path = "/v1/payments/{id}", tag = "payments",
    params(("id" = PaymentId, Path, description = "Id of the payment")), security(("bearer" = [])),
    responses((status = 200, description = "The payment", body = PaymentView),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 404, description = "There is no such payment, or it belongs to another user", body = ProblemBody)))]
pub(crate) async fn get_payment(
    State(app): State<App>,
    User(claims): User,
    Path(id): Path<PaymentId>,
) -> Result<Json<PaymentView>, Problem> {
    let filter = Filter {
        id: Some(id),
        owner: (!claims.is_admin()).then_some(claims.sub),
        ..Filter::default()
    };
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await.map_err(Error::from)?;
        let found = store::list(&mut conn, filter, 1).await.map_err(Error::from)?;
        let mut views = view::with_refunds(&mut conn, found).await.map_err(Error::from)?;
        Ok(Json(views.pop().ok_or(Error::NotFound)?))
    })
    .await
}
