//! `payments.v1`.

use super::events;
use crate::{Money, OrderId, PaymentId, UserId};

events! {
    /// What happens to a payment: each change of state that moves money, or decides that it will not move.
    PaymentEvent of "payments" on PAYMENTS,
    each with {
        /// Which payment; the key.
        payment_id: PaymentId,
        /// The order that is paid.
        order_id: OrderId,
        /// Whose money.
        user_id: UserId,
    }
    /// The money is reserved.
    PaymentAuthorized = "payment_authorized" v 1 {
        /// What is reserved.
        amount: Money,
    }
    /// The provider refused to reserve the money.
    PaymentFailed = "payment_failed" v 1 {
        /// What was asked for.
        amount: Money,
        /// A word, such as `card_declined`.
        code: String,
        /// A sentence for the shopper.
        message: String,
    }
    /// The money is taken.
    PaymentCaptured = "payment_captured" v 1 {
        /// What was taken.
        amount: Money,
    }
    /// The provider refused to take the money, which is still reserved.
    CaptureRefused = "capture_refused" v 1 {
        /// What was to be taken.
        amount: Money,
        /// A word, such as `capture_declined`.
        code: String,
        /// A sentence for the shopper.
        message: String,
    }
    /// The reserved money was let go.
    PaymentVoided = "payment_voided" v 1 {
        /// What had been reserved.
        amount: Money,
    }
    /// The provider let the reserved money go by itself.
    PaymentExpired = "payment_expired" v 1 {
        /// What had been reserved.
        amount: Money,
    }
    /// Money went back.
    PaymentRefunded = "payment_refunded" v 1 {
        /// Which refund.
        refund_id: uuid::Uuid,
        /// What went back by this refund.
        amount: Money,
        /// Why, for the shopper.
        reason: String,
        /// All that was taken.
        captured: Money,
        /// All that went back so far.
        refunded: Money,
    }
}
