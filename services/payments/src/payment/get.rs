//! `GET /v1/payments/{id}`: the owner's, or any for an operator.

use axum::extract::State;
use contracts::PaymentId;
use souk_http::{Json, Path, Problem, ProblemBody, auth::User};

use super::{
    store::{self, Filter},
    view::{self, PaymentView},
};
use crate::{App, error::Error};

/// Read a payment
#[utoipa::path(get, path = "/v1/payments/{id}", tag = "payments", params(("id" = PaymentId, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = PaymentView), (status = 401, body = ProblemBody),
        (status = 404, description = "No such payment, or someone else's", body = ProblemBody)))]
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
        let mut views = view::of(&mut conn, found).await.map_err(Error::from)?;
        Ok(Json(views.pop().ok_or(Error::NotFound)?))
    })
    .await
}
