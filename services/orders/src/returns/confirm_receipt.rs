//! `POST /v1/orders/{id}/returns/{return_id}/receipt`: an operator confirms that returned items have arrived. Only then are
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
/// Changes the status of a return that needs a receipt from `requested` to `received`, and starts its refund; after that, the
/// items are restocked. Needs no request body; one that is sent is ignored.
#[utoipa::path(post, path = "/v1/orders/{id}/returns/{return_id}/receipt", tag = "fulfilment", security(("bearer" = [])),
    params(("id" = OrderId, Path, description = "Id of the order"), ("return_id" = ReturnId, Path, description = "Id of the return")),
    responses((status = 202, description = "The return, whose refund has started", body = ReturnView),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 404, description = "There is no such order, or it has no such return", body = ProblemBody),
        (status = 409, description = "The return needs no receipt, or was received or refused before", body = ProblemBody)))]
pub async fn confirm_receipt(
    State(app): State<App>,
    Admin(claims): Admin,
    Path((order, id)): Path<(OrderId, ReturnId)>,
) -> Result<(StatusCode, Json<ReturnView>), Problem> {
    souk_http::detached(async move {
        let mut transaction = app.pool.begin().await?;
        let requested = requested::lock(&mut transaction, order, id).await?;
        let facts = requested.receive(&mut transaction, claims.sub).await?;
        saga::start(&mut transaction, &*app.dispatcher, &RETURN, &facts).await?;
        let view = requested::view(&mut transaction, order, id).await?;
        transaction.commit().await?;
        app.outbox.flush_soon();
        Ok((StatusCode::ACCEPTED, Json(view)))
    })
    .await
}
