//! `POST /v1/refunds`: refunds a captured payment, in whole or in part.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    App, balance,
    error::{Error, ErrorBody},
    idempotency::{KeyedRequest, RecordedResponse},
    intents::{create_intent, store},
    webhooks,
};

/// A refund to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateRefund {
    /// Id of the captured payment intent to refund.
    #[schema(example = "pi_0198c0de8f5b7c0a9d3e2b1a4f6c8d70")]
    payment_intent: String,
    /// Amount to refund in minor units (cents for EUR); at most what was captured and is not yet refunded.
    #[schema(minimum = 1, example = 1999)]
    amount: i64,
    /// Data of the merchant, returned unchanged with the refund and in its event.
    #[serde(default = "create_intent::empty_object")]
    #[schema(value_type = Object)]
    metadata: serde_json::Value,
}

/// A refund that the provider has made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Refund {
    /// Id of the refund, `re_` and 32 hexadecimal digits.
    id: String,
    /// Type of this object, always `refund`.
    #[schema(example = "refund")]
    object: String,
    /// Id of the refunded payment intent.
    payment_intent: String,
    /// Refunded amount in minor units.
    #[schema(example = 1999)]
    amount: i64,
    /// ISO 4217 currency code of the amount.
    #[schema(example = "EUR")]
    currency: String,
    /// Status of the refund, always `succeeded`.
    #[schema(example = "succeeded")]
    status: String,
    /// Data that the merchant attached to the refund.
    #[schema(value_type = Object)]
    metadata: serde_json::Value,
    /// Time of creation, in seconds since 1970 (UTC).
    #[schema(example = 1_750_000_000)]
    created: i64,
}

/// Refund a payment
///
/// Refunds all or part of a captured payment and sends a `refund.succeeded` event. A repetition with the same key
/// returns the first response and refunds nothing more.
#[utoipa::path(post, path = "/v1/refunds", tag = "refunds", request_body = CreateRefund,
    params(("Idempotency-Key" = String, Header, description = "Send the same key when repeating the request",
        min_length = 1, max_length = 255)),
    responses((status = 200, description = "The refund", body = Refund),
        (status = 400, description = "The request is invalid, the amount exceeds what can be refunded, or the key was used before", body = ErrorBody),
        (status = 401, description = "The API key is missing or wrong", body = ErrorBody),
        (status = 404, description = "There is no such payment intent", body = ErrorBody),
        (status = 409, description = "A request with the same key is in progress", body = ErrorBody)))]
pub(crate) async fn create_refund(
    State(app): State<App>,
    request: KeyedRequest,
) -> Result<RecordedResponse, Error> {
    let input: CreateRefund = request.parse()?;
    if input.amount <= 0 {
        return Err(Error::Invalid(Some("amount"), "amount must be above zero".into()));
    }
    request
        .run(&app, move |conn| {
            Box::pin(async move {
                let mut intent = store::lock(conn, &input.payment_intent).await?;
                if input.amount > intent.amount_captured - intent.amount_refunded {
                    return Err(Error::AmountTooLarge);
                }
                intent.amount_refunded += input.amount;
                store::update(conn, &intent).await?;
                let id = format!("re_{}", uuid::Uuid::now_v7().simple());
                let created_at = sqlx::query_scalar!(
                    "INSERT INTO refunds (id, payment_intent, amount, metadata) VALUES ($1, $2, $3, $4)
                 RETURNING created_at",
                    id,
                    intent.id,
                    input.amount,
                    input.metadata
                )
                .fetch_one(&mut *conn)
                .await?;
                balance::record(conn, &intent, Some(&id), -input.amount).await?;
                let refund = Refund {
                    id,
                    object: "refund".into(),
                    payment_intent: intent.id,
                    amount: input.amount,
                    currency: intent.currency,
                    status: "succeeded".into(),
                    metadata: input.metadata,
                    created: created_at.timestamp(),
                };
                webhooks::record_event(conn, "refund.succeeded", &refund).await?;
                Ok(refund)
            })
        })
        .await
}
