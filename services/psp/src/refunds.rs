//! `POST /v1/refunds`: gives captured money back, in whole or in part.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    App, balance,
    error::{Error, ErrorBody},
    idempotency::{Answer, KeyedRequest},
    intents::{create, store},
    webhooks,
};

/// What to give back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateRefund {
    /// `pi_…`.
    payment_intent: String,
    /// Minor units, above zero.
    amount: i64,
    /// The merchant's own words, sent back in events.
    #[serde(default = "create::empty")]
    #[schema(value_type = Object)]
    metadata: serde_json::Value,
}

/// A refund.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Refund {
    /// `re_…`.
    id: String,
    /// Always `refund`.
    object: String,
    /// `pi_…`.
    payment_intent: String,
    /// Minor units.
    amount: i64,
    /// ISO 4217.
    currency: String,
    /// Always `succeeded`.
    status: String,
    /// The merchant's own words.
    #[schema(value_type = Object)]
    metadata: serde_json::Value,
    /// Seconds since 1970.
    created: i64,
}

/// Refund
///
/// At most what is captured and not yet refunded.
#[utoipa::path(post, path = "/v1/refunds", request_body = CreateRefund,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 200, body = Refund), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn create_refund(State(app): State<App>, request: KeyedRequest) -> Result<Answer, Error> {
    let input: CreateRefund = request.parse()?;
    if input.amount <= 0 {
        return Err(Error::Invalid(Some("amount"), "amount must be above zero".into()));
    }
    request
        .run(&app, move |conn| {
            Box::pin(async move {
                let mut intent = store::lock(conn, &input.payment_intent).await?;
                if input.amount > intent.amount_captured - intent.amount_refunded {
                    return Err(Error::TooLarge);
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
                webhooks::write(conn, "refund.succeeded", &refund).await?;
                Ok(refund)
            })
        })
        .await
}
