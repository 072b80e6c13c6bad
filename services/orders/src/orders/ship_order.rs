//! `POST /v1/orders/{id}/shipments`: an operator has handed the items to a carrier.

use axum::{extract::State, http::StatusCode};
use contracts::OrderId;
use serde::Deserialize;
use serde_json::json;
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{OrderStatus, OrderView, store};
use crate::{App, error::Error, returns, text};

/// How the goods are sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipOrder {
    /// At most 100 characters.
    carrier: Option<String>,
    /// At most 100 characters.
    tracking_number: Option<String>,
}

/// Ship an order
///
/// From `confirmed` to `shipped`. An order cannot be shipped while a return of it is open, nor once it has been refunded in
/// full.
#[utoipa::path(post, path = "/v1/orders/{id}/shipments", tag = "fulfilment", security(("bearer" = [])),
    params(("id" = OrderId, Path)), request_body = ShipOrder,
    responses((status = 201, body = OrderView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn ship_order(
    State(app): State<App>,
    Admin(claims): Admin,
    Path(id): Path<OrderId>,
    Json(request): Json<ShipOrder>,
) -> Result<(StatusCode, Json<OrderView>), Problem> {
    let check =
        |pointer, value: Option<String>| value.map(|value| text::checked(pointer, &value, 100)).transpose();
    let carrier = check("/carrier", request.carrier)?;
    let tracking_number = check("/tracking_number", request.tracking_number)?;
    souk_http::detached(async move {
        let mut transaction = app.pool.begin().await?;
        let (_, status) = store::lock(&mut transaction, id)
            .await?
            .ok_or(Error::NotFound("order"))?;
        if !status.can_become(OrderStatus::Shipped) {
            let detail = format!("An order that is {} cannot be shipped.", status.as_str());
            return Err(Error::Conflict("not-shippable", detail).into());
        }
        // The row lock of above decides between a shipment and a return at the same moment: whichever comes second finds
        // what the first has written.
        if let Some(refusal) = refusal(&mut transaction, id).await? {
            return Err(refusal.into());
        }
        sqlx::query!(
            "INSERT INTO shipments (order_id, carrier, tracking_number) VALUES ($1, $2, $3)",
            id.0,
            carrier,
            tracking_number
        )
        .execute(&mut *transaction)
        .await?;
        let told = json!({"carrier": carrier, "tracking_number": tracking_number, "actor": claims.sub});
        store::fulfil(&mut transaction, id, OrderStatus::Shipped, "order_shipped", told).await?;
        let order = store::find(&mut transaction, id, None)
            .await?
            .ok_or(Error::NotFound("order"))?;
        transaction.commit().await?;
        Ok((StatusCode::CREATED, Json(order)))
    })
    .await
}

/// Why a locked, confirmed order must stay where it is.
async fn refusal(conn: &mut PgConnection, id: OrderId) -> sqlx::Result<Option<Error>> {
    if returns::store::is_open(conn, id).await? {
        let detail = "A return of this order is in progress. It can be shipped once the return is completed or refused.";
        return Ok(Some(Error::Conflict("return-in-progress", detail.into())));
    }
    let is_refunded = store::is_refunded(conn, id).await?;
    let detail = "The order has been refunded in full, so it is not sent.";
    Ok(is_refunded.then(|| Error::Conflict("already-refunded", detail.into())))
}
