//! `POST /v1/orders/{id}/deliveries`: the goods have arrived.

use axum::{extract::State, http::StatusCode};
use contracts::OrderId;
use serde_json::json;
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};

use super::{OrderStatus, OrderView, store};
use crate::{App, error::Error};

/// Deliver an order
///
/// From `shipped` to `delivered`. A body is not needed, and not read.
#[utoipa::path(post, path = "/v1/orders/{id}/deliveries", tag = "fulfilment", security(("bearer" = [])),
    params(("id" = OrderId, Path)),
    responses((status = 201, body = OrderView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn deliver_order(
    State(app): State<App>,
    Admin(claims): Admin,
    Path(id): Path<OrderId>,
) -> Result<(StatusCode, Json<OrderView>), Problem> {
    souk_http::detached(async move {
        let mut transaction = app.pool.begin().await?;
        let (_, status) = store::lock(&mut transaction, id)
            .await?
            .ok_or(Error::NotFound("order"))?;
        if !status.can_become(OrderStatus::Delivered) {
            let detail = format!("An order that is {} cannot be delivered.", status.as_str());
            return Err(Error::Conflict("not-deliverable", detail).into());
        }
        sqlx::query!(
            "UPDATE shipments SET delivered_at = now() WHERE order_id = $1",
            id.0
        )
        .execute(&mut *transaction)
        .await?;
        let told = json!({"actor": claims.sub});
        store::fulfil(
            &mut transaction,
            id,
            OrderStatus::Delivered,
            "order_delivered",
            told,
        )
        .await?;
        let order = store::find(&mut transaction, id, None)
            .await?
            .ok_or(Error::NotFound("order"))?;
        transaction.commit().await?;
        Ok((StatusCode::CREATED, Json(order)))
    })
    .await
}
