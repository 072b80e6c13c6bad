//! `POST /v1/orders/{id}/returns`: a shopper returns items of a paid order, and gets their price back.

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{Money, OrderId, OrderItem, ReturnId, SagaId};
use futures::FutureExt as _;
use serde::Deserialize;
use souk_http::{
    HashedJson, Path, Problem, ProblemBody,
    auth::{Claims, User},
    idempotency::{self, Key, StoredResponse},
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::store::{self, Returnable};
use crate::{
    App,
    error::Error,
    faults::Faults,
    orders::{ReturnStatus, ReturnView, place_order::check_items},
    saga::{self, checkout::RETURN, table::Facts},
    text,
};

/// A request for a return.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateReturn {
    /// Items of the order, each SKU once; not more than was bought and has not been returned yet.
    items: Vec<OrderItem>,
    /// Why, 1 to 500 characters.
    reason: String,
}

/// Return items
///
/// If the order has not been shipped, the money is refunded at once and the items are restocked. If it has, the return
/// stays `requested` until an operator confirms that the items have arrived. While a return is open the order cannot be
/// shipped. When everything has been returned the order is `returned`.
#[utoipa::path(post, path = "/v1/orders/{id}/returns", tag = "fulfilment", security(("bearer" = [])),
    params(("id" = OrderId, Path), ("Idempotency-Key" = String, Header, description = "The same at every repetition")),
    request_body = CreateReturn,
    responses((status = 202, body = ReturnView), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create_return(
    State(app): State<App>,
    User(claims): User,
    Path(order): Path<OrderId>,
    key: Key,
    HashedJson { value, mut sha256 }: HashedJson<CreateReturn>,
) -> Result<Response, Problem> {
    let reason = text::checked("/reason", &value.reason, 500)?;
    let errors = check_items(&value.items);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors).into());
    }
    // The order is part of the request: the same body for another order is another request.
    for (byte, id) in sha256.iter_mut().zip(order.0.as_bytes()) {
        *byte ^= id;
    }
    let (user, items, faults) = (claims.sub, value.items, app.faults);
    souk_http::detached(async move {
        let answer = idempotency::run(&app.pool, user, "create_return", &key, sha256, move |conn| {
            create(conn, faults, order, claims, items, reason).boxed()
        })
        .await;
        app.outbox.flush_soon();
        answer
    })
    .await
}

async fn create(
    conn: &mut PgConnection,
    faults: Faults,
    order: OrderId,
    claims: Claims,
    items: Vec<OrderItem>,
    reason: String,
) -> Result<StoredResponse, Error> {
    let found = store::lock(conn, order).await?;
    let found = found
        .filter(|found| claims.is_admin() || found.user == claims.sub)
        .ok_or(Error::NotFound("order"))?;
    if !found.status.can_be_returned() {
        let detail = format!(
            "Nothing of an order that is {} can be returned.",
            found.status.as_str()
        );
        return Err(Error::Conflict("not-returnable", detail));
    }
    if found.is_refunded {
        let detail = "The order has been refunded in full already, so nothing of it can be returned.";
        return Err(Error::Conflict("already-refunded", detail.into()));
    }
    let amount = price(&found, &items)?;
    let needs_receipt = found.status.was_shipped();
    let facts = Facts {
        order,
        saga: SagaId(ReturnId::generate().0),
        user: found.user,
        payment: found.payment,
        payment_method: found.payment_method,
        amount,
        items,
        reason,
    };
    let created_at = store::insert(conn, &facts, needs_receipt).await?;
    if !needs_receipt {
        saga::start(conn, &faults, &RETURN, &facts).await?;
    }
    let view = ReturnView {
        id: facts.return_id(),
        status: ReturnStatus::Requested,
        reason: facts.reason,
        items: facts.items,
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

/// The price of the items, if so many can be returned; at most what has not been refunded yet.
fn price(order: &Returnable, items: &[OrderItem]) -> Result<Money, Error> {
    let mut sum: Option<Money> = None;
    for (index, item) in items.iter().enumerate() {
        let line = order
            .lines
            .iter()
            .find(|line| line.sku == item.sku.as_str())
            .ok_or_else(|| Error::field(format!("/items/{index}/sku"), "is not a line of this order"))?;
        if item.quantity.get() > line.left {
            let detail = format!("Of {} there are {} left to return.", line.sku, line.left);
            return Err(Error::Conflict("exceeds-bought", detail));
        }
        let overflow = |_| Error::field(format!("/items/{index}/quantity"), "is too large");
        let cost = line.unit_price.times(item.quantity.get()).map_err(overflow)?;
        sum = Some(
            sum.map_or(Ok(cost), |sum| sum.checked_add(cost))
                .map_err(overflow)?,
        );
    }
    let sum = sum.ok_or_else(|| Error::field("/items", "must not be empty"))?;
    Ok(Money::new(
        sum.amount.min(order.not_refunded.amount),
        sum.currency,
    ))
}
