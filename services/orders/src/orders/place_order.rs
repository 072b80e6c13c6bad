//! `POST /v1/orders`: places an order for the items of the request, or of the cart. Prices are fetched before the transaction.
//! The order, its lines, its saga and the first command are committed together, and then the shopper gets a response.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{Address, OrderId, OrderItem, PaymentId, UserId};
use futures::FutureExt as _;
use serde::Deserialize;
use souk_http::{
    FieldError, HashedJson, Problem, ProblemBody,
    auth::User,
    idempotency::{self, Key, StoredResponse},
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{FulfilmentStatus, OrderStatus, OrderView, PaymentStatus, store};
use crate::{
    App, cart,
    error::Error,
    inventory::QuoteError,
    saga::{self, checkout::CHECKOUT, dispatch::Dispatcher, table::Facts},
};

/// Name of this operation in the table of idempotency keys.
const OPERATION: &str = "place_order";

/// An order to place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// Items to order: 1 to 50 lines, each SKU at most once. If absent, the items of the cart are ordered, and the cart is
    /// emptied.
    #[schema(min_items = 1, max_items = 50)]
    items: Option<Vec<OrderItem>>,
    /// Address to which the items are shipped.
    shipping_address: Address,
    /// The payment provider's token of the payment method: `pm_`, followed by 1 to 61 letters, digits and underscores.
    #[schema(pattern = "^pm_[A-Za-z0-9_]{1,61}$", example = "pm_card_ok")]
    payment_method: String,
}

/// Place an order
///
/// Responds before anything is reserved or charged; follow the order at `Location`. A repetition with the same key returns the
/// first response and orders nothing more. Fails with 503 and `Retry-After`, with nothing ordered, while prices are not
/// available or too many checkouts are waiting for a new one to finish in time.
#[utoipa::path(post, path = "/v1/orders", tag = "orders", security(("bearer" = [])), request_body = PlaceOrder,
    params(("Idempotency-Key" = String, Header, description = "Send the same key when repeating the request: 1 to 255 visible ASCII characters",
            min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    responses(
        (status = 202, description = "The order is placed, and its checkout has started", body = OrderView,
            headers(("Location" = String, description = "Path of the order"))),
        (status = 400, description = "The Idempotency-Key is missing or not valid, or the body is not JSON", body = ProblemBody),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 409, description = "The cart was changed meanwhile, or a request with the same key is in progress", body = ProblemBody),
        (status = 422, description = "A field is not valid, the cart is empty, or the key was already used with a different body", body = ProblemBody),
        (status = 503, description = "Prices are not available, or too many checkouts are waiting", body = ProblemBody)))]
pub async fn place_order(
    State(app): State<App>,
    User(claims): User,
    key: Key,
    HashedJson { value, sha256 }: HashedJson<PlaceOrder>,
) -> Result<Response, Problem> {
    souk_http::detached(async move {
        let user = claims.sub;
        value.check()?;
        let draft = draft(&app, user, &key, value).await?;
        let dispatcher = Arc::clone(&app.dispatcher);
        let response = idempotency::run(&app.pool, user, OPERATION, &key, sha256, move |conn| {
            async move {
                match draft {
                    Draft::New(draft) => place(conn, &*dispatcher, *draft).await,
                    // If another request with the same key had ordered the cart, `run` would have replayed its response.
                    Draft::EmptyCart => Err(Error::field("/items", "is absent, and the cart is empty")),
                    // The stored response was deleted after this request had found it. The client may retry.
                    Draft::KnownKey => Err(Error::InFlight),
                }
            }
            .boxed()
        })
        .await;
        app.outbox.flush_soon();
        response
    })
    .await
}

impl PlaceOrder {
    /// Fails with every field that is not valid.
    fn check(&self) -> Result<(), Error> {
        let mut errors: Vec<FieldError> = self
            .shipping_address
            .problems()
            .into_iter()
            .map(|(field, detail)| FieldError::new(format!("/shipping_address/{field}"), detail))
            .collect();
        let token = self.payment_method.strip_prefix("pm_").unwrap_or_default();
        if !(1..=61).contains(&token.len())
            || !token
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            errors.push(FieldError::new(
                "/payment_method",
                "must be a payment method such as pm_card_ok",
            ));
        }
        if let Some(items) = &self.items {
            errors.extend(check_items("/items", items));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(errors))
        }
    }
}

/// Returns what is not valid about the list of items at `pointer`: its length, and each SKU that occurs again.
pub(crate) fn check_items(pointer: &str, items: &[OrderItem]) -> Vec<FieldError> {
    if items.is_empty() || items.len() > cart::MAX_LINES {
        return vec![FieldError::new(
            pointer,
            format!("must have 1 to {} lines", cart::MAX_LINES),
        )];
    }
    let repeats = |index: usize| items[..index].iter().any(|other| other.sku == items[index].sku);
    (0..items.len())
        .filter(|index| repeats(*index))
        .map(|index| {
            FieldError::new(
                format!("{pointer}/{index}/sku"),
                "repeats the SKU of an earlier line",
            )
        })
        .collect()
}

/// The result of preparing an order, before its idempotency key is claimed.
enum Draft {
    /// A new order to write.
    New(Box<NewOrder>),
    /// There is nothing to order, unless a concurrent request with the same key has just ordered the cart.
    EmptyCart,
    /// The key was used before, so the stored response is returned, and no new quote is needed.
    KnownKey,
}

/// An order that is not written to the database yet.
struct NewOrder {
    order: OrderView,
    items: Vec<OrderItem>,
    from_cart: bool,
}

/// Prepares the order with its current prices. Fails if too many checkouts are waiting for a new one to finish in time.
async fn draft(app: &App, user: UserId, key: &Key, request: PlaceOrder) -> Result<Draft, Error> {
    let mut conn = app.pool.acquire().await?;
    let known = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM idempotency_keys WHERE user_id = $1 AND operation = $2 AND key = $3) AS "known!""#,
        user.0,
        OPERATION,
        key.0
    )
    .fetch_one(&mut *conn)
    .await?;
    if known {
        return Ok(Draft::KnownKey);
    }
    saga::admission::load(&mut conn).await?.admit()?;
    let from_cart = request.items.is_none();
    let items = match request.items {
        Some(items) => items,
        None => cart::store::items(&mut conn, user).await?,
    };
    drop(conn);
    if items.is_empty() {
        return Ok(Draft::EmptyCart);
    }
    let quote = app.quotes.quote(&items).await.map_err(|error| match &error {
        QuoteError::Unknown(sku) if !from_cart => {
            let index = items.iter().position(|item| item.sku.as_str() == sku);
            let pointer = index.map_or("/items".to_owned(), |index| format!("/items/{index}/sku"));
            Error::field(pointer, error.to_string())
        }
        _ => Error::Quote(error),
    })?;
    let order = OrderView {
        id: OrderId::generate(),
        user_id: user,
        status: OrderStatus::Pending,
        reason: None,
        lines: quote.lines,
        total: quote.total,
        payment_id: PaymentId::generate(),
        payment_method: request.payment_method,
        shipping_address: request.shipping_address,
        payment_status: PaymentStatus::Pending,
        fulfilment_status: FulfilmentStatus::Unfulfilled,
        shipment: None,
        returns: vec![],
        trace_id: telemetry::current_trace_id(),
        // Set by the database when the order is written.
        created_at: chrono::DateTime::UNIX_EPOCH,
        updated_at: chrono::DateTime::UNIX_EPOCH,
    };
    Ok(Draft::New(Box::new(NewOrder {
        order,
        items,
        from_cart,
    })))
}

/// Writes the order and its saga with the first command, and empties the cart if the order came from there.
async fn place(
    conn: &mut PgConnection,
    dispatcher: &dyn Dispatcher,
    draft: NewOrder,
) -> Result<StoredResponse, Error> {
    let NewOrder {
        mut order,
        items,
        from_cart,
    } = draft;
    if from_cart && cart::store::take(conn, order.user_id).await? != items {
        return Err(Error::Conflict(
            "cart-changed",
            "The cart was changed while the order was being placed. Check the cart and order again.".into(),
        ));
    }
    order.created_at = store::insert(conn, &order).await?;
    order.updated_at = order.created_at;
    let facts = Facts {
        order: order.id,
        saga: order.id.into(),
        user: order.user_id,
        payment: order.payment_id,
        payment_method: order.payment_method.clone(),
        amount: order.total,
        items,
        reason: String::new(),
    };
    saga::start(conn, dispatcher, &CHECKOUT, &facts).await?;
    tracing::info!(order_id = %order.id, lines = order.lines.len(), "order placed");
    Ok(StoredResponse {
        status: StatusCode::ACCEPTED,
        location: Some(format!("/v1/orders/{}", order.id)),
        body: serde_json::to_value(&order).map_err(|error| sqlx::Error::Encode(error.into()))?,
    })
}
