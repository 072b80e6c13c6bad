//! `POST /v1/orders/{id}/deliveries`: an operator records that the items have arrived.

use axum::{extract::State, http::StatusCode};
use contracts::OrderId;
use serde_json::json;
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};

use super::{OrderStatus, OrderView, store};
use crate::{App, error::Error};

/// Mark an order as delivered
///
/// Changes the status from `shipped` to `delivered`. Needs no request body; one that is sent is ignored.
#[utoipa::path(post, path = "/v1/orders/{id}/deliveries", tag = "fulfilment", security(("bearer" = [])),
    params(("id" = OrderId, Path, description = "Id of the order")),
    responses((status = 201, description = "The delivered order", body = OrderView),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 404, description = "There is no such order", body = ProblemBody),
        (status = 409, description = "The order is not `shipped`", body = ProblemBody)))]
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
        let data = json!({"actor": claims.sub});
        store::fulfil(
            &mut transaction,
            id,
            OrderStatus::Delivered,
            "order_delivered",
            data,
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
