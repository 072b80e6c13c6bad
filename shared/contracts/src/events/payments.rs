//! The events of the topic `payments.v1`: every change of a payment's state.

use super::events;
use crate::{Money, OrderId, PaymentId, UserId};

events! {
    /// An event of the payments service: a payment changed its state, or the provider refused to change it.
    PaymentEvent of "payments" on PAYMENTS,
    each with {
        /// The payment that the event is about; also the key of the record.
        payment_id: PaymentId,
        /// The order that the payment is for.
        order_id: OrderId,
        /// The user who pays.
        user_id: UserId,
    }
    /// The provider authorized the payment: the money is reserved on the card.
    PaymentAuthorized = "payment_authorized" v 1 {
        /// Amount that was authorized.
        amount: Money,
    }
    /// The provider refused to authorize the payment.
    PaymentFailed = "payment_failed" v 1 {
        /// Amount that was to be authorized.
        amount: Money,
        /// The provider's error code, such as `card_declined`.
        code: String,
        /// An explanation for the shopper.
        message: String,
    }
    /// The payment was captured: the money was charged to the card.
    PaymentCaptured = "payment_captured" v 1 {
        /// Amount that was captured.
        amount: Money,
    }
    /// The provider refused to capture the payment, which remains authorized.
    CaptureRefused = "capture_refused" v 1 {
        /// Amount that was to be captured.
        amount: Money,
        /// The provider's error code, such as `capture_declined`.
        code: String,
        /// An explanation for the shopper.
        message: String,
    }
    /// The authorization was voided on request, which released the money.
    PaymentVoided = "payment_voided" v 1 {
        /// Amount that was authorized before.
        amount: Money,
    }
    /// The authorization expired at the provider, which released the money.
    PaymentExpired = "payment_expired" v 1 {
        /// Amount that was authorized before.
        amount: Money,
    }
    /// A part or all of the payment was refunded.
    PaymentRefunded = "payment_refunded" v 1 {
        /// Id of the refund.
        refund_id: uuid::Uuid,
        /// Amount of this refund.
        amount: Money,
        /// Reason of the refund, shown to the shopper.
        reason: String,
        /// Total amount that was captured.
        captured: Money,
        /// Total amount refunded so far, including this refund.
        refunded: Money,
    }
}
