//! `POST /v1/orders/{id}/cancel`: cancels an order until the command that charges the card is sent. The step in flight may
//! have been performed, so it is undone as well.

use axum::{extract::State, http::StatusCode};
use contracts::OrderId;
use serde::Deserialize;
use souk_http::{Json, Path, Problem, ProblemBody, auth::User};
use utoipa::ToSchema;

use super::{OrderView, store};
use crate::{
    App,
    error::Error,
    saga::{self, Cause, Impossible},
    text,
};

/// A request to cancel an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelOrder {
    /// Reason for the cancellation, shown with the order: 1 to 500 characters, not counting leading and trailing white
    /// space. Optional.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "I ordered the wrong size."
    )]
    reason: Option<String>,
}

/// Cancel an order
///
/// Responds as soon as the cancellation has started. The order becomes `cancelled` once the items are released and the payment
/// is voided. An order whose payment is being captured can no longer be cancelled (409); return its items instead. Shoppers
/// can cancel their own orders, operators can cancel any order. Repeating the request has no further effect.
#[utoipa::path(post, path = "/v1/orders/{id}/cancel", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path, description = "Id of the order")), request_body = CancelOrder,
    responses((status = 202, description = "The order, which is being cancelled", body = OrderView),
        (status = 400, description = "The body is not JSON", body = ProblemBody),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 404, description = "There is no such order, or it belongs to another user", body = ProblemBody),
        (status = 409, description = "The order can no longer be cancelled", body = ProblemBody),
        (status = 422, description = "The reason is not valid", body = ProblemBody)))]
pub async fn cancel_order(
    State(app): State<App>,
    User(claims): User,
    Path(id): Path<OrderId>,
    Json(request): Json<CancelOrder>,
) -> Result<(StatusCode, Json<OrderView>), Problem> {
    let reason = request
        .reason
        .map(|reason| text::checked("/reason", &reason, 500))
        .transpose()?;
    souk_http::detached(async move {
        let owner = (!claims.is_admin()).then_some(claims.sub);
        let mut transaction = app.pool.begin().await?;
        store::find(&mut transaction, id, owner)
            .await?
            .ok_or(Error::NotFound("order"))?;
        let cause = Cause::Cancel(reason);
        match saga::advance(&mut transaction, &*app.dispatcher, id.into(), &cause).await? {
            Ok(_) | Err(Impossible::AlreadyCancelled) => {}
            Err(Impossible::NotFound) => return Err(Error::NotFound("order").into()),
            Err(_) => {
                let detail = "The order can no longer be cancelled.";
                return Err(Error::Conflict("too-late", detail.to_owned()).into());
            }
        }
        let order = store::find(&mut transaction, id, None)
            .await?
            .ok_or(Error::NotFound("order"))?;
        transaction.commit().await?;
        app.outbox.flush_soon();
        Ok((StatusCode::ACCEPTED, Json(order)))
    })
    .await
}
