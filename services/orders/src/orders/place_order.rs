//! `POST /v1/orders`: from the items of the request, or from the cart. Prices are asked for before the transaction;
//! order, lines, saga and first command commit together, and then the shopper has an answer.

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
    faults::{Fault, Faults},
    inventory::QuoteError,
    saga::{self, checkout::CHECKOUT, table::Facts},
};

const OPERATION: &str = "place_order";

/// A new order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// What to buy, 1 to 50 lines, each SKU once. The cart when it is absent; the cart is then emptied.
    items: Option<Vec<OrderItem>>,
    /// Where to ship to.
    shipping_address: Address,
    /// The provider's token, `pm_` and 1 to 61 letters, digits and underscores.
    #[schema(pattern = "^pm_[A-Za-z0-9_]{1,61}$", example = "pm_card_ok")]
    payment_method: String,
}

/// Place an order
///
/// Answers before anything is reserved or charged: follow the order at `Location`. Answers 503 with `Retry-After` while so
/// many checkouts are waiting that a new one could not be done in time.
#[utoipa::path(post, path = "/v1/orders", tag = "orders", security(("bearer" = [])), request_body = PlaceOrder,
    params(("Idempotency-Key" = String, Header, description = "The same at every repetition")),
    responses((status = 202, body = OrderView, headers(("Location" = String, description = "The order"))),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
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
        let faults = app.faults.clone();
        let answer = idempotency::run(&app.pool, user, OPERATION, &key, sha256, move |conn| {
            async move {
                match draft {
                    Draft::New(draft) => place(conn, &faults, *draft).await,
                    // A request with the same key has taken the cart, or has failed, since this one looked.
                    Draft::EmptyCart => Err(Error::field("/items", "is absent, and the cart is empty")),
                    Draft::Known => Err(Error::InFlight),
                }
            }
            .boxed()
        })
        .await;
        app.outbox.flush_soon();
        answer
    })
    .await
}

impl PlaceOrder {
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
            errors.extend(check_items(items));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(errors))
        }
    }
}

/// What is wrong with a list of items.
pub(crate) fn check_items(items: &[OrderItem]) -> Vec<FieldError> {
    if items.is_empty() || items.len() > cart::MAX_LINES {
        return vec![FieldError::new(
            "/items",
            format!("must be 1 to {} lines", cart::MAX_LINES),
        )];
    }
    let repeats = |index: usize| items[..index].iter().any(|other| other.sku == items[index].sku);
    (0..items.len())
        .filter(|index| repeats(*index))
        .map(|index| FieldError::new(format!("/items/{index}/sku"), "repeats a SKU of a line before"))
        .collect()
}

/// What a request comes to, before its key is taken.
enum Draft {
    /// A new order.
    New(Box<NewOrder>),
    /// There is nothing to order, unless a request with the same key has just taken it out of the cart.
    EmptyCart,
    /// The key is known: its answer is stored, whatever inventory would say today.
    Known,
}

/// An order that is not yet written.
struct NewOrder {
    order: OrderView,
    items: Vec<OrderItem>,
    from_cart: bool,
}

/// The order with its prices. Refused when so many checkouts wait that it could not be done in time.
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
        return Ok(Draft::Known);
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
    if app.faults.has(Fault::QuotesUnavailable) {
        return Err(QuoteError::Unavailable(None).into());
    }
    let quote = app.inventory.quote(&items).await.map_err(|error| match &error {
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
        // The database's, once it is written.
        created_at: chrono::DateTime::UNIX_EPOCH,
        updated_at: chrono::DateTime::UNIX_EPOCH,
    };
    Ok(Draft::New(Box::new(NewOrder {
        order,
        items,
        from_cart,
    })))
}

/// Writes it all.
async fn place(conn: &mut PgConnection, faults: &Faults, draft: NewOrder) -> Result<StoredResponse, Error> {
    let NewOrder {
        mut order,
        items,
        from_cart,
    } = draft;
    if from_cart && cart::store::take(conn, order.user_id).await? != items {
        return Err(Error::Conflict(
            "cart-changed",
            "The cart was changed while the order was being placed. Look at it, and order again.".into(),
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
    saga::start(conn, faults, &CHECKOUT, &facts).await?;
    tracing::info!(order_id = %order.id, lines = order.lines.len(), "order placed");
    Ok(StoredResponse {
        status: StatusCode::ACCEPTED,
        location: Some(format!("/v1/orders/{}", order.id)),
        body: serde_json::to_value(&order).map_err(|error| sqlx::Error::Encode(error.into()))?,
    })
}
