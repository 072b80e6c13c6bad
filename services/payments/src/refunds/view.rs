//! A refund as clients see it.

use chrono::{DateTime, Utc};
use contracts::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Refund, RefundStatus};

/// A refund.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Refund)]
pub struct RefundView {
    /// Its id.
    pub id: Uuid,
    /// What goes back.
    pub amount: Money,
    /// Where it stands.
    pub status: RefundStatus,
    /// Why it was asked for.
    pub reason: String,
    /// When it was asked for.
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
