//! `POST /v1/orders/{id}/returns/{return_id}/receipt`: an operator confirms that returned items have arrived. Only now are
//! they refunded and restocked.

use axum::{extract::State, http::StatusCode};
use contracts::{OrderId, ReturnId};
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};

use super::requested;
use crate::{
    App,
    orders::ReturnView,
    saga::{self, checkout::RETURN},
};

/// Confirm the receipt of returned items
///
/// From `requested` to `received`; the refund begins, then the items are restocked. Only for a return that needs a receipt,
/// and once. A body is not needed, and not read.
#[utoipa::path(post, path = "/v1/orders/{id}/returns/{return_id}/receipt", tag = "fulfilment", security(("bearer" = [])),
    params(("id" = OrderId, Path), ("return_id" = ReturnId, Path)),
    responses((status = 202, body = ReturnView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn confirm_receipt(
    State(app): State<App>,
    Admin(claims): Admin,
    Path((order, id)): Path<(OrderId, ReturnId)>,
) -> Result<(StatusCode, Json<ReturnView>), Problem> {
    souk_http::detached(async move {
        let mut transaction = app.pool.begin().await?;
        let requested = requested::lock(&mut transaction, order, id).await?;
        let facts = requested.receive(&mut transaction, claims.sub).await?;
        saga::start(&mut transaction, &app.faults, &RETURN, &facts).await?;
        let view = requested::view(&mut transaction, order, id).await?;
        transaction.commit().await?;
        app.outbox.flush_soon();
        Ok((StatusCode::ACCEPTED, Json(view)))
    })
    .await
}
