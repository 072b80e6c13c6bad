//! `POST /v1/orders/{id}/returns`: a shopper returns items of a paid order and is refunded.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{Money, OrderId, OrderItem, ReturnId, SagaId, UserId};
use futures::FutureExt as _;
use serde::Deserialize;
use souk_http::{
    HashedJson, Path, Problem, ProblemBody,
    auth::User,
    idempotency::{self, Key, StoredResponse},
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::store::{self, Returnable};
use crate::{
    App,
    error::Error,
    orders::{ReturnStatus, ReturnView, place_order::check_items},
    saga::{self, checkout::RETURN, dispatch::Dispatcher, table::Facts},
    text,
};

/// A return to request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateReturn {
    /// Items to return: 1 to 50 lines, each SKU at most once, and no more than were bought and not returned yet.
    // Pages of the storefront that were opened before an update send the former name.
    #[serde(alias = "items")]
    #[schema(min_items = 1, max_items = 50)]
    lines: Vec<OrderItem>,
    /// Reason for the return: 1 to 500 characters, not counting leading and trailing white space.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The cup has the wrong colour."
    )]
    reason: String,
}

/// Return items of an order
///
/// If the order has not been shipped, the refund starts at once, and the items are restocked. If it has, the return stays
/// `requested` until an operator confirms that the items have arrived. While a return is open, the order cannot be shipped.
/// Once every item has been returned, the order is `returned`. A repetition with the same key returns the first response
/// and returns nothing more.
#[utoipa::path(post, path = "/v1/orders/{id}/returns", tag = "fulfilment", security(("bearer" = [])),
    params(("id" = OrderId, Path, description = "Id of the order"),
        ("Idempotency-Key" = String, Header, description = "Send the same key when repeating the request: 1 to 255 visible ASCII characters",
            min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    request_body = CreateReturn,
    responses(
        (status = 202, description = "The return is requested", body = ReturnView,
            headers(("Location" = String, description = "Path of the order"))),
        (status = 400, description = "The Idempotency-Key is missing or not valid, or the body is not JSON", body = ProblemBody),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 404, description = "There is no such order, or it belongs to another user", body = ProblemBody),
        (status = 409, description = "The order cannot be returned or was refunded in full, more would be returned than was bought, or a request with the same key is in progress", body = ProblemBody),
        (status = 422, description = "A field is not valid, or the key was already used with a different body", body = ProblemBody)))]
pub async fn create_return(
    State(app): State<App>,
    User(claims): User,
    Path(order): Path<OrderId>,
    key: Key,
    HashedJson { value, mut sha256 }: HashedJson<CreateReturn>,
) -> Result<Response, Problem> {
    let reason = text::checked("/reason", &value.reason, 500)?;
    let errors = check_items("/lines", &value.lines);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors).into());
    }
    // The order's id is part of the request, so the same key with the same body for another order is rejected.
    for (byte, id) in sha256.iter_mut().zip(order.0.as_bytes()) {
        *byte ^= id;
    }
    let (user, lines, dispatcher) = (claims.sub, value.lines, app.dispatcher);
    souk_http::detached(async move {
        let response = idempotency::run(&app.pool, user, "create_return", &key, sha256, move |conn| {
            create(conn, dispatcher, order, user, lines, reason).boxed()
        })
        .await;
        app.outbox.flush_soon();
        response
    })
    .await
}

/// Writes the return, and starts its saga unless the items must arrive first.
async fn create(
    conn: &mut PgConnection,
    dispatcher: Arc<dyn Dispatcher>,
    order: OrderId,
    user: UserId,
    lines: Vec<OrderItem>,
    reason: String,
) -> Result<StoredResponse, Error> {
    let found = store::lock(conn, order).await?;
    let found = found
        .filter(|found| found.user == user)
        .ok_or(Error::NotFound("order"))?;
    if !found.status.can_be_returned() {
        let detail = format!(
            "Items of an order that is {} cannot be returned.",
            found.status.as_str()
        );
        return Err(Error::Conflict("not-returnable", detail));
    }
    if found.is_refunded {
        let detail = "The order has already been refunded in full, so its items cannot be returned.";
        return Err(Error::Conflict("already-refunded", detail.into()));
    }
    let amount = price(&found, &lines)?;
    let needs_receipt = found.status.was_shipped();
    let facts = Facts {
        order,
        saga: SagaId(ReturnId::generate().0),
        user: found.user,
        payment: found.payment,
        payment_method: found.payment_method,
        amount,
        items: lines,
        reason,
    };
    let created_at = store::insert(conn, &facts, needs_receipt).await?;
    if !needs_receipt {
        saga::start(conn, &*dispatcher, &RETURN, &facts).await?;
    }
    let view = ReturnView {
        id: facts.return_id(),
        status: ReturnStatus::Requested,
        reason: facts.reason,
        lines: facts.items,
        amount,
        needs_receipt,
        refusal_reason: None,
        created_at,
        updated_at: created_at,
    };
    Ok(StoredResponse {
        status: StatusCode::ACCEPTED,
        location: Some(format!("/v1/orders/{order}")),
        body: serde_json::to_value(&view).map_err(|error| sqlx::Error::Encode(error.into()))?,
    })
}

/// Returns the refund for the items: their price, but at most the amount that has not been refunded yet. Fails if more would be
/// returned than is possible.
fn price(order: &Returnable, items: &[OrderItem]) -> Result<Money, Error> {
    let mut sum: Option<Money> = None;
    for (index, item) in items.iter().enumerate() {
        let line = order
            .lines
            .iter()
            .find(|line| line.sku == item.sku.as_str())
            .ok_or_else(|| Error::field(format!("/lines/{index}/sku"), "is not a line of this order"))?;
        if item.quantity.get() > line.returnable {
            let detail = format!(
                "At most {} of {} can still be returned.",
                line.returnable, line.sku
            );
            return Err(Error::Conflict("exceeds-bought", detail));
        }
        let overflow = |_| Error::field(format!("/lines/{index}/quantity"), "is too large");
        let cost = line.unit_price.times(item.quantity.get()).map_err(overflow)?;
        sum = Some(
            sum.map_or(Ok(cost), |sum| sum.checked_add(cost))
                .map_err(overflow)?,
        );
    }
    let sum = sum.ok_or_else(|| Error::field("/lines", "must not be empty"))?;
    Ok(Money::new(
        sum.amount.min(order.not_refunded.amount),
        sum.currency,
    ))
}
