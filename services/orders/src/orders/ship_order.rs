//! `POST /v1/orders/{id}/shipments`: an operator records that the items were handed to a carrier.

use axum::{extract::State, http::StatusCode};
use contracts::OrderId;
use serde::Deserialize;
use serde_json::json;
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{OrderStatus, OrderView, store};
use crate::{App, error::Error, returns, text};

/// How the items of an order are shipped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipOrder {
    /// Name of the carrier: 1 to 100 characters, not counting leading and trailing white space. Optional.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "DHL"
    )]
    carrier: Option<String>,
    /// Tracking number of the carrier: 1 to 100 characters, not counting leading and trailing white space. Optional.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "00340434161094042557"
    )]
    tracking_number: Option<String>,
}

/// Ship an order
///
/// Changes the status from `confirmed` to `shipped`. An order cannot be shipped while one of its returns is open, nor after it
/// has been refunded in full.
#[utoipa::path(post, path = "/v1/orders/{id}/shipments", tag = "fulfilment", security(("bearer" = [])),
    params(("id" = OrderId, Path, description = "Id of the order")), request_body = ShipOrder,
    responses((status = 201, description = "The shipped order", body = OrderView),
        (status = 400, description = "The body is not JSON", body = ProblemBody),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 404, description = "There is no such order", body = ProblemBody),
        (status = 409, description = "The order is not `confirmed`, has an open return, or was refunded in full", body = ProblemBody),
        (status = 422, description = "A field is not valid", body = ProblemBody)))]
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
        // The lock on the order's row serializes a shipment and a return at the same moment: the second one sees what the
        // first has written.
        if let Some(conflict) = conflict(&mut transaction, id).await? {
            return Err(conflict.into());
        }
        sqlx::query!(
            "INSERT INTO shipments (order_id, carrier, tracking_number) VALUES ($1, $2, $3)",
            id.0,
            carrier,
            tracking_number
        )
        .execute(&mut *transaction)
        .await?;
        let data = json!({"carrier": carrier, "tracking_number": tracking_number, "actor": claims.sub});
        store::fulfil(&mut transaction, id, OrderStatus::Shipped, "order_shipped", data).await?;
        let order = store::find(&mut transaction, id, None)
            .await?
            .ok_or(Error::NotFound("order"))?;
        transaction.commit().await?;
        Ok((StatusCode::CREATED, Json(order)))
    })
    .await
}

/// Returns why a locked, confirmed order must not be shipped, if there is a reason.
async fn conflict(conn: &mut PgConnection, id: OrderId) -> sqlx::Result<Option<Error>> {
    if returns::store::is_open(conn, id).await? {
        let detail = "A return of this order is in progress. It can be shipped once the return is completed or refused.";
        return Ok(Some(Error::Conflict("return-in-progress", detail.into())));
    }
    let is_refunded = store::is_refunded(conn, id).await?;
    let detail = "The order has been refunded in full, so it must not be shipped.";
    Ok(is_refunded.then(|| Error::Conflict("already-refunded", detail.into())))
}
