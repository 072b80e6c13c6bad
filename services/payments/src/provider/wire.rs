//! The provider's JSON, as far as payments reads and writes it.

use contracts::Money;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ProviderError;
use crate::payment::Payment;

/// A final answer of the API.
pub(super) enum Reply {
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

/// Body and status as a final answer. A fault, a limit, or a key that is still being worked on are none.
pub(super) fn read(status: u16, body: &[u8]) -> Result<Reply, ProviderError> {
    let unexpected = |detail: String| ProviderError::Unexpected(status, detail);
    match status {
        200..300 => serde_json::from_slice::<Object>(body)
            .map(|object| Reply::Object { id: object.id })
            .map_err(|error| unexpected(error.to_string())),
        409 | 429 | 500.. => Err(unexpected("try again".into())),
        _ => serde_json::from_slice::<ErrorBody>(body)
            .map(|body| Reply::Error(status, body.error))
            .map_err(|error| unexpected(error.to_string())),
    }
}

pub(super) fn authorization(payment: &Payment) -> Value {
    json!({
        "amount": payment.amount.amount,
        "currency": payment.amount.currency,
        "payment_method": payment.method,
        "capture_method": "manual",
        "metadata": {"order_id": payment.order_id},
    })
}

pub(super) fn refund(intent: &str, payment: &Payment, refund: uuid::Uuid, amount: Money) -> Value {
    json!({
        "payment_intent": intent,
        "amount": amount.amount,
        "metadata": {"order_id": payment.order_id, "refund_id": refund},
    })
}
