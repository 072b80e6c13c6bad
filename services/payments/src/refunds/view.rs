//! The representation of a refund in the API.

use chrono::{DateTime, Utc};
use contracts::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Refund, RefundStatus};

/// A refund of a payment, in whole or in part.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Refund)]
pub struct RefundView {
    /// Id of the refund.
    pub id: Uuid,
    /// Amount to be refunded, above zero.
    pub amount: Money,
    /// Current status of the refund.
    pub status: RefundStatus,
    /// Reason given when the refund was requested.
    #[schema(example = "The cup arrived broken.")]
    pub reason: String,
    /// Time at which the refund was requested.
    pub created_at: DateTime<Utc>,
}

impl From<&Refund> for RefundView {
    fn from(refund: &Refund) -> Self {
        Self {
            id: refund.id,
            amount: refund.amount,
            status: refund.status,
            reason: refund.reason.clone(),
            created_at: refund.created_at,
        }
    }
}
