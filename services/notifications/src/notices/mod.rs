//! Notices, from which notifications and mails are made. A notice is data; its text is generated when it is read, in the
//! reader's language.

pub(crate) mod list_notifications;
pub(crate) mod read_notifications;
pub(crate) mod store;
pub(crate) mod texts;

use contracts::{Money, OrderId, events::Line};
use serde::{Deserialize, Serialize};

/// A notice for one user. It is stored as JSON, so new fields must have a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Notice {
    Welcome,
    /// Asks the user to verify their email address. Sent by mail only.
    VerifyAddress,
    /// Contains the link to replace a forgotten password. Sent by mail only.
    ResetPassword {
        /// Whether the mail was caused by an attempt to register the address again rather than by a request.
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
        /// The reason that an operator gave; absent if the refund failed.
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

    /// The order that the notice is about, if any.
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

    /// Whether the notice is also sent by mail, because the shopper should learn of it without opening the shop.
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
