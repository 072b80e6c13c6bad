//! `POST /v1/orders/{id}/cancel`: possible until the command that moves the money is sent. The step in flight counts as
//! unknown, and is undone too.

use axum::{extract::State, http::StatusCode};
use contracts::OrderId;
use serde::Deserialize;
use souk_http::{Json, Path, Problem, ProblemBody, auth::User};
use utoipa::ToSchema;

use super::{OrderStatus, OrderView, store};
use crate::{
    App,
    error::Error,
    saga::{Move, effects::Ending, engine::Heard, proceed, store as sagas},
    text,
};

/// Why an order is given up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelOrder {
    /// At most 500 characters.
    reason: Option<String>,
}

/// Cancel an order
///
/// Answers when the cancellation is decided; the order is `cancelled` when everything is undone. Once the money moves it
/// is too late: return the goods instead.
#[utoipa::path(post, path = "/v1/orders/{id}/cancel", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path)), request_body = CancelOrder,
    responses((status = 202, body = OrderView), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
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
        let order = store::find(&mut transaction, id, owner).await?;
        let live = match order {
            Some(_) => sagas::lock(&mut transaction, id.into()).await?,
            None => None,
        };
        let live = live.ok_or(Error::NotFound("order"))?;
        let cancelled_already = live.at.position().is_some()
            && live
                .ending
                .as_ref()
                .is_some_and(|ending| ending.status == OrderStatus::Cancelled);
        if !cancelled_already {
            let to = live.give_up().ok_or_else(|| {
                Error::Conflict("too-late", "The order can no longer be cancelled.".to_owned())
            })?;
            let cause = Move {
                to,
                heard: Some(Heard::Silent),
                outcome: Some("silent"),
                reason: Some("cancelled".into()),
                detail: reason.clone(),
                actor: None,
                ending: Some(Ending::cancelled(reason.unwrap_or_else(|| "cancelled".into()))),
                restarts_deadline: false,
            };
            proceed(&mut transaction, &app.faults, &live, cause).await?;
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
