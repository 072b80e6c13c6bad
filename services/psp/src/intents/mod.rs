//! Payment intents: an amount is first reserved on a card, then either captured or released.

pub(crate) mod cancel_intent;
pub(crate) mod capture_intent;
pub(crate) mod create_intent;
pub(crate) mod get_intent;
pub(crate) mod store;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Status of a payment intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntentStatus {
    /// The amount is reserved on the card and can be captured or canceled.
    RequiresCapture,
    /// The amount was captured; it can be refunded.
    Succeeded,
    /// The reservation was released without a capture.
    Canceled,
}

impl IntentStatus {
    /// The value in the database and in JSON.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }

    fn parse(text: &str) -> sqlx::Result<Self> {
        [Self::RequiresCapture, Self::Succeeded, Self::Canceled]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| sqlx::Error::Decode(format!("no intent has the status {text}").into()))
    }
}

/// An amount that is reserved on a card and then captured or released.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Intent {
    /// Id of the intent, `pi_` and 32 hexadecimal digits.
    #[schema(example = "pi_0198c0de8f5b7c0a9d3e2b1a4f6c8d70")]
    pub(crate) id: String,
    /// Type of this object, always `payment_intent`.
    #[schema(example = "payment_intent")]
    pub(crate) object: String,
    /// Authorized amount in minor units (cents for EUR).
    #[schema(example = 1999)]
    pub(crate) amount: i64,
    /// ISO 4217 currency code of all amounts.
    #[schema(example = "EUR")]
    pub(crate) currency: String,
    /// Current status of the intent.
    pub(crate) status: IntentStatus,
    /// Captured amount in minor units; zero before the capture.
    pub(crate) amount_captured: i64,
    /// Refunded amount in minor units, at most the captured amount.
    pub(crate) amount_refunded: i64,
    /// Token of the card that pays.
    #[schema(example = "pm_card_ok")]
    pub(crate) payment_method: String,
    /// Data that the merchant attached to the intent.
    #[schema(value_type = Object)]
    pub(crate) metadata: serde_json::Value,
    /// Time of creation, in seconds since 1970 (UTC).
    #[schema(example = 1_750_000_000)]
    pub(crate) created: i64,
}
