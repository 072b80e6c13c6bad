//! The part of the provider's JSON format that payments reads and writes.

use contracts::Money;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ProviderError;
use crate::payment::Payment;

/// A final response of the provider's API.
pub(super) enum Response {
    Object { id: String },
    Error(u16, ErrorDetail),
}

#[derive(Debug, Deserialize)]
struct Object {
    id: String,
}

#[derive(Debug, Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Debug, Deserialize)]
pub(super) struct ErrorDetail {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
    pub(super) decline_code: Option<String>,
    pub(super) payment_intent: Option<IntentState>,
}

#[derive(Debug, Deserialize)]
pub(super) struct IntentState {
    pub(super) id: String,
    pub(super) status: String,
}

/// Parses a final response. A server error, a rate limit, or a key that is still in use is not final, and an error.
pub(super) fn parse_response(status: u16, body: &[u8]) -> Result<Response, ProviderError> {
    let unexpected = |detail: String| ProviderError::Unexpected(status, detail);
    match status {
        200..300 => serde_json::from_slice::<Object>(body)
            .map(|object| Response::Object { id: object.id })
            .map_err(|error| unexpected(error.to_string())),
        409 | 429 | 500.. => Err(unexpected("not a final response".into())),
        _ => serde_json::from_slice::<ErrorBody>(body)
            .map(|body| Response::Error(status, body.error))
            .map_err(|error| unexpected(error.to_string())),
    }
}

/// Body of the request that creates a payment intent.
pub(super) fn authorization(payment: &Payment) -> Value {
    json!({
        "amount": payment.amount.amount,
        "currency": payment.amount.currency,
        "payment_method": payment.method,
        "capture_method": "manual",
        "metadata": {"order_id": payment.order_id},
    })
}

/// Body of the request that refunds `amount`.
pub(super) fn refund(intent: &str, payment: &Payment, refund: uuid::Uuid, amount: Money) -> Value {
    json!({
        "payment_intent": intent,
        "amount": amount.amount,
        "metadata": {"order_id": payment.order_id, "refund_id": refund},
    })
}
