//! Payment intents: money that is first reserved, then taken or let go.

pub(crate) mod cancel;
pub(crate) mod capture;
pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod store;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What became of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntentStatus {
    /// Authorized: the money is reserved.
    RequiresCapture,
    /// Captured.
    Succeeded,
    /// Let go; nothing was taken.
    Canceled,
}

impl IntentStatus {
    /// As it is stored and sent.
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

/// A payment intent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Intent {
    /// `pi_…`.
    pub(crate) id: String,
    /// Always `payment_intent`.
    pub(crate) object: String,
    /// Minor units that are reserved.
    pub(crate) amount: i64,
    /// ISO 4217.
    pub(crate) currency: String,
    /// What became of it.
    pub(crate) status: IntentStatus,
    /// Minor units that were taken.
    pub(crate) amount_captured: i64,
    /// Minor units that went back.
    pub(crate) amount_refunded: i64,
    /// The method it was made with.
    pub(crate) payment_method: String,
    /// The merchant's own words.
    #[schema(value_type = Object)]
    pub(crate) metadata: serde_json::Value,
    /// Seconds since 1970.
    pub(crate) created: i64,
}
