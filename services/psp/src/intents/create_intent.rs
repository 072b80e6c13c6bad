//! `POST /v1/payment_intents`: reserves an amount on a card.

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Intent, store};
use crate::{
    App,
    error::{Error, ErrorBody},
    idempotency::{KeyedRequest, RecordedResponse},
    methods::Method,
    webhooks,
};

/// A payment to authorize.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateIntent {
    /// Amount to reserve, in minor units (cents for EUR).
    #[schema(minimum = 1, example = 1999)]
    amount: i64,
    /// ISO 4217 currency code in capital letters.
    #[schema(pattern = "^[A-Z]{3}$", example = "EUR")]
    currency: String,
    /// Token of the card. Its suffix selects the outcome: `pm_card_ok`, `pm_card_declined`,
    /// `pm_card_insufficient_funds`, `pm_card_slow`, `pm_card_timeout_after_charge`, `pm_card_capture_declined` or
    /// `pm_card_flaky`.
    #[schema(example = "pm_card_ok")]
    payment_method: String,
    /// Only `manual` is supported: the amount is captured by a separate request.
    #[schema(pattern = "^manual$", example = "manual")]
    capture_method: String,
    /// Data of the merchant, returned unchanged with the intent and in its events.
    #[serde(default = "empty_object")]
    #[schema(value_type = Object)]
    metadata: serde_json::Value,
}

/// The default of `metadata`.
pub(crate) fn empty_object() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

impl CreateIntent {
    fn parse(request: &KeyedRequest) -> Result<Self, Error> {
        let input: Self = request.parse()?;
        let invalid = |param, text: &str| Err(Error::Invalid(Some(param), text.to_owned()));
        if input.amount <= 0 {
            return invalid("amount", "amount must be above zero");
        }
        if input.currency.len() != 3 || !input.currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
            return invalid("currency", "currency must be three capital letters");
        }
        if input.capture_method != "manual" {
            return invalid("capture_method", "capture_method must be manual");
        }
        if !input.metadata.is_object() {
            return invalid("metadata", "metadata must be an object");
        }
        Ok(input)
    }
}

/// Create a payment intent
///
/// Reserves the amount on the card and sends a `payment_intent.authorized` event. A repetition with the same key returns
/// the first response and reserves nothing more.
#[utoipa::path(post, path = "/v1/payment_intents", tag = "payment intents", request_body = CreateIntent,
    params(("Idempotency-Key" = String, Header, description = "Send the same key when repeating the request",
        min_length = 1, max_length = 255)),
    responses((status = 200, description = "The authorized intent", body = Intent),
        (status = 400, description = "The request is invalid, the payment method is unknown, or the key was used before", body = ErrorBody),
        (status = 401, description = "The API key is missing or wrong", body = ErrorBody),
        (status = 402, description = "The card was declined", body = ErrorBody),
        (status = 409, description = "A request with the same key is in progress", body = ErrorBody),
        (status = 500, description = "`pm_card_flaky` fails twice for each key", body = ErrorBody)))]
pub(crate) async fn create_intent(
    State(app): State<App>,
    request: KeyedRequest,
) -> Result<RecordedResponse, Error> {
    let input = CreateIntent::parse(&request)?;
    let method = Method::parse(&input.payment_method)?;
    if let Method::Slow | Method::Flaky = method {
        let mut conn = app.pool.acquire().await?;
        if let Some(response) = request.recorded_response(&mut conn).await? {
            return Ok(response);
        }
        if method == Method::Flaky
            && store::count_call(&mut conn, request.key()).await? <= Method::FLAKY_FAILURES
        {
            return Err(Error::Flaky);
        }
    }
    if method == Method::Slow {
        // Wait before the transaction begins, so that a slow card does not hold a database connection.
        tokio::time::sleep(Method::SLOW_DELAY).await;
    }
    request
        .run(&app, move |conn| {
            Box::pin(async move {
                method.authorize()?;
                let intent = store::insert(
                    conn,
                    input.amount,
                    &input.currency,
                    &input.payment_method,
                    &input.metadata,
                )
                .await?;
                webhooks::record_event(conn, "payment_intent.authorized", &intent).await?;
                Ok(intent)
            })
        })
        .await
}
