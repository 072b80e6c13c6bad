//! `POST /v1/orders/{id}/returns/{return_id}/refusal`: an operator refuses a return, for example because the items have not
//! arrived or are damaged. Nothing is refunded, and the items can be returned again.

use axum::extract::State;
use contracts::{OrderId, ReturnId};
use serde::Deserialize;
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};
use utoipa::ToSchema;

use super::requested;
use crate::{App, orders::ReturnView, text};

/// The reason for refusing a return.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseReturn {
    /// Reason that is shown to the shopper: 1 to 500 characters, not counting leading and trailing white space.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The box was empty."
    )]
    reason: String,
}

/// Refuse a return
///
/// Changes the status of a return that needs a receipt from `requested` to `refused`. Nothing is refunded, and the items can be
/// returned again. Returns of items that were never shipped cannot be refused, because they are refunded at once.
#[utoipa::path(post, path = "/v1/orders/{id}/returns/{return_id}/refusal", tag = "fulfilment", security(("bearer" = [])),
    params(("id" = OrderId, Path, description = "Id of the order"), ("return_id" = ReturnId, Path, description = "Id of the return")),
    request_body = RefuseReturn,
    responses((status = 200, description = "The refused return", body = ReturnView),
        (status = 400, description = "The body is not JSON", body = ProblemBody),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 404, description = "There is no such order, or it has no such return", body = ProblemBody),
        (status = 409, description = "The return needs no receipt, or was received or refused before", body = ProblemBody),
        (status = 422, description = "The reason is not valid", body = ProblemBody)))]
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
