//! `POST /v1/orders/{id}/returns/{return_id}/refusal`: an operator refuses a return whose items have not arrived, or not as
//! they were sent. Nothing is refunded, and the items can be returned again.

use axum::extract::State;
use contracts::{OrderId, ReturnId};
use serde::Deserialize;
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};
use utoipa::ToSchema;

use super::requested;
use crate::{App, orders::ReturnView, text};

/// Why a return is refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseReturn {
    /// For the shopper, 1 to 500 characters.
    reason: String,
}

/// Refuse a return
///
/// From `requested` to `refused`. Only for a return that needs a receipt: what had not been shipped is refunded at once.
#[utoipa::path(post, path = "/v1/orders/{id}/returns/{return_id}/refusal", tag = "fulfilment", security(("bearer" = [])),
    params(("id" = OrderId, Path), ("return_id" = ReturnId, Path)), request_body = RefuseReturn,
    responses((status = 200, body = ReturnView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn refuse_return(
    State(app): State<App>,
    Admin(claims): Admin,
    Path((order, id)): Path<(OrderId, ReturnId)>,
    Json(request): Json<RefuseReturn>,
) -> Result<Json<ReturnView>, Problem> {
    let reason = text::checked("/reason", &request.reason, 500)?;
    souk_http::detached(async move {
        let mut transaction = app.pool.begin().await?;
        let requested = requested::lock(&mut transaction, order, id).await?;
        requested.refuse(&mut transaction, claims.sub, &reason).await?;
        let view = requested::view(&mut transaction, order, id).await?;
        transaction.commit().await?;
        Ok(Json(view))
    })
    .await
}
