//! `POST /v1/payment_intents`: reserves money.

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Intent, store};
use crate::{
    App,
    error::{Error, ErrorBody},
    idempotency::{Answer, KeyedRequest},
    methods::Method,
    webhooks,
};

/// What to reserve.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateIntent {
    /// Minor units, above zero.
    amount: i64,
    /// ISO 4217, capital letters.
    currency: String,
    /// Such as `pm_card_ok`.
    payment_method: String,
    /// Only `manual`: capture is a call of its own.
    capture_method: String,
    /// The merchant's own words, sent back in events.
    #[serde(default = "empty")]
    #[schema(value_type = Object)]
    metadata: serde_json::Value,
}

pub(crate) fn empty() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

impl CreateIntent {
    fn parse(request: &KeyedRequest) -> Result<Self, Error> {
        let this: Self = request.parse()?;
        let invalid = |param, text: &str| Err(Error::Invalid(Some(param), text.to_owned()));
        if this.amount <= 0 {
            return invalid("amount", "amount must be above zero");
        }
        if this.currency.len() != 3 || !this.currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
            return invalid("currency", "currency must be three capital letters");
        }
        if this.capture_method != "manual" {
            return invalid("capture_method", "capture_method must be manual");
        }
        if !this.metadata.is_object() {
            return invalid("metadata", "metadata must be an object");
        }
        Ok(this)
    }
}

/// Authorize
///
/// Reserves the amount on the card.
#[utoipa::path(post, path = "/v1/payment_intents", request_body = CreateIntent,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 200, body = Intent), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 402, description = "The card was declined", body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn create_intent(State(app): State<App>, request: KeyedRequest) -> Result<Answer, Error> {
    let input = CreateIntent::parse(&request)?;
    let method = Method::parse(&input.payment_method)?;
    if let Method::Slow | Method::Flaky = method {
        let mut conn = app.pool.acquire().await?;
        if let Some(answer) = request.recorded(&mut conn).await? {
            return Ok(answer);
        }
        if method == Method::Flaky && store::count_call(&mut conn, request.key()).await? <= Method::FAILURES {
            return Err(Error::Flaky);
        }
    }
    if method == Method::Slow {
        // Before the transaction begins, so that a slow card holds no connection.
        tokio::time::sleep(Method::SLOWNESS).await;
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
                webhooks::write(conn, "payment_intent.authorized", &intent).await?;
                Ok(intent)
            })
        })
        .await
}
