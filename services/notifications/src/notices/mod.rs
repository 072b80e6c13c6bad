//! What a shopper is told about. A notice is data; it becomes text when it is read, in the language of the reader.

pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod store;
pub(crate) mod texts;

use contracts::{Money, OrderId, events::Line};
use serde::{Deserialize, Serialize};

/// One thing to tell. It stands in the database as JSON, so what is added must have a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Notice {
    Welcome,
    /// Only by mail: the address is to be verified.
    VerifyAddress,
    /// Only by mail: the way to replace a forgotten password.
    ResetPassword {
        /// Nobody asked for it, but someone tried to register the address again.
        registered_again: bool,
    },
    PasswordChanged,
    OrderConfirmed {
        order_id: OrderId,
        total: Money,
        lines: Vec<Line>,
    },
    OrderRejected {
        order_id: OrderId,
        reason: String,
    },
    OrderCancelled {
        order_id: OrderId,
    },
    OrderShipped {
        order_id: OrderId,
        carrier: Option<String>,
        tracking_number: Option<String>,
    },
    OrderDelivered {
        order_id: OrderId,
    },
    ReturnRequested {
        order_id: OrderId,
        needs_receipt: bool,
    },
    ReturnReceived {
        order_id: OrderId,
    },
    ReturnRefused {
        order_id: OrderId,
        /// An operator's; none if the refund failed.
        #[serde(default)]
        reason: Option<String>,
    },
    PaymentRefunded {
        order_id: OrderId,
        amount: Money,
    },
}

impl Notice {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::VerifyAddress => "verify_address",
            Self::ResetPassword { .. } => "reset_password",
            Self::PasswordChanged => "password_changed",
            Self::OrderConfirmed { .. } => "order_confirmed",
            Self::OrderRejected { .. } => "order_rejected",
            Self::OrderCancelled { .. } => "order_cancelled",
            Self::OrderShipped { .. } => "order_shipped",
            Self::OrderDelivered { .. } => "order_delivered",
            Self::ReturnRequested { .. } => "return_requested",
            Self::ReturnReceived { .. } => "return_received",
            Self::ReturnRefused { .. } => "return_refused",
            Self::PaymentRefunded { .. } => "payment_refunded",
        }
    }

    /// The order it is about, if it is about one.
    pub(crate) fn order(&self) -> Option<OrderId> {
        match self {
            Self::Welcome | Self::VerifyAddress | Self::ResetPassword { .. } | Self::PasswordChanged => None,
            Self::OrderConfirmed { order_id, .. }
            | Self::OrderRejected { order_id, .. }
            | Self::OrderCancelled { order_id }
            | Self::OrderShipped { order_id, .. }
            | Self::OrderDelivered { order_id }
            | Self::ReturnRequested { order_id, .. }
            | Self::ReturnReceived { order_id }
            | Self::ReturnRefused { order_id, .. }
            | Self::PaymentRefunded { order_id, .. } => Some(*order_id),
        }
    }

    /// Whether it is worth a mail, too: what the shopper should hear of without looking.
    pub(crate) fn is_mailed(&self) -> bool {
        matches!(
            self,
            Self::Welcome
                | Self::VerifyAddress
                | Self::ResetPassword { .. }
                | Self::PasswordChanged
                | Self::OrderConfirmed { .. }
                | Self::OrderRejected { .. }
                | Self::OrderShipped { .. }
                | Self::ReturnRequested { .. }
                | Self::ReturnReceived { .. }
                | Self::ReturnRefused { .. }
                | Self::PaymentRefunded { .. }
        )
    }
}
