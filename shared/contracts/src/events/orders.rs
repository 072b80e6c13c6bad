//! The events of the topic `orders.v1`: the life of an order from placing it to returning its items.

use serde::{Deserialize, Serialize};

use super::events;
use crate::{Money, OrderId, Quantity, ReturnId, Sku, UserId};

/// One line of an order, with name and price at the time the order was placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The product that was ordered.
    pub sku: Sku,
    /// Product name when the order was placed.
    pub name: String,
    /// Number of items ordered.
    pub quantity: Quantity,
    /// Price of one item when the order was placed.
    pub unit_price: Money,
}

events! {
    /// An event of the orders service: a change of one order or of one of its returns.
    OrderEvent of "orders" on ORDERS,
    each with {
        /// The order that the event is about; also the key of the record.
        order_id: OrderId,
        /// The user who placed the order.
        user_id: UserId,
    }
    /// The order was placed, and its checkout started.
    OrderPlaced = "order_placed" v 1 {
        /// Total price of the order.
        total: Money,
        /// The lines of the order.
        lines: Vec<Line>,
    }
    /// The items are held in stock for this order.
    StockReserved = "stock_reserved" v 1 {}
    /// The items are no longer held, or never were: a checkout that is abandoned publishes this without waiting for the
    /// outcome of the reservation.
    StockReleased = "stock_released" v 1 {}
    /// The payment was authorized.
    OrderPaymentAuthorized = "payment_authorized" v 1 {}
    /// The provider refused to authorize the payment.
    OrderPaymentFailed = "payment_failed" v 1 {}
    /// The payment was captured. From here on, the checkout is only completed and never rolled back.
    OrderPaymentCaptured = "payment_captured" v 1 {}
    /// The authorization of the payment was voided.
    OrderPaymentVoided = "payment_voided" v 1 {}
    /// The order is paid and its items are committed, which completes the checkout.
    OrderConfirmed = "order_confirmed" v 1 {
        /// Total amount that was paid.
        total: Money,
        /// The lines of the order.
        lines: Vec<Line>,
    }
    /// The checkout failed and the order was rejected.
    OrderRejected = "order_rejected" v 1 {
        /// Why it failed: `out_of_stock`, `payment_declined` or `timeout`. Further values may be added.
        reason: String,
        /// Total price that the order would have had.
        total: Money,
    }
    /// The order was cancelled before the payment was captured.
    OrderCancelled = "order_cancelled" v 1 {
        /// The reason given by the person who cancelled the order.
        reason: String,
        /// Total price that the order would have had.
        total: Money,
    }
    /// The order was shipped.
    OrderShipped = "order_shipped" v 1 {
        /// The carrier, if it was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        carrier: Option<String>,
        /// The carrier's tracking number, if it was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tracking_number: Option<String>,
    }
    /// The order was delivered to the shopper.
    OrderDelivered = "order_delivered" v 1 {}
    /// The shopper requested to return items.
    ReturnRequested = "return_requested" v 1 {
        /// Id of the return.
        return_id: ReturnId,
        /// The shopper's reason for the return.
        reason: String,
        /// Whether the items had been shipped, and must therefore arrive before they are refunded.
        #[serde(default)]
        needs_receipt: bool,
    }
    /// The returned items have arrived, and the refund starts.
    ReturnReceived = "return_received" v 1 {
        /// Id of the return.
        return_id: ReturnId,
    }
    /// An operator refused the return, or its refund failed.
    ReturnRefused = "return_refused" v 1 {
        /// Id of the return.
        return_id: ReturnId,
        /// The operator's reason, shown to the shopper. Absent if the refund failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }
    /// The items of a return were refunded and restocked, and other items of the order are not returned yet.
    ReturnCompleted = "return_completed" v 1 {
        /// Id of the return.
        return_id: ReturnId,
    }
    /// All items of the order have been returned.
    OrderReturned = "order_returned" v 1 {
        /// Id of the return that completed the order's return.
        return_id: ReturnId,
    }
    /// A part or all of the payment was refunded.
    OrderPaymentRefunded = "payment_refunded" v 1 {
        /// Total amount refunded so far, including this refund.
        refunded: Money,
        /// Total amount paid for the order.
        total: Money,
    }
}
