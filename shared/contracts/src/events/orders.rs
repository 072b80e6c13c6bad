//! `orders.v1`.

use serde::{Deserialize, Serialize};

use super::events;
use crate::{Money, OrderId, Quantity, ReturnId, Sku, UserId};

/// A line of an order, as it was when it was placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What.
    pub sku: Sku,
    /// Its name at that time.
    pub name: String,
    /// How many.
    pub quantity: Quantity,
    /// The price of one at that time.
    pub unit_price: Money,
}

events! {
    /// What happens to an order, from the click to the return.
    OrderEvent of "orders" on ORDERS,
    each with {
        /// Which order; the key.
        order_id: OrderId,
        /// Whose.
        user_id: UserId,
    }
    /// A checkout begins.
    OrderPlaced = "order_placed" v 1 {
        /// What it costs.
        total: Money,
        /// What is bought.
        lines: Vec<Line>,
    }
    /// The goods are held.
    StockReserved = "stock_reserved" v 1 {}
    /// The goods are not held any more, or never were: a checkout that is given up does not wait to know.
    StockReleased = "stock_released" v 1 {}
    /// The money is reserved.
    OrderPaymentAuthorized = "payment_authorized" v 1 {}
    /// The provider refused to reserve the money.
    OrderPaymentFailed = "payment_failed" v 1 {}
    /// The money is taken: from here on the order only goes forward.
    OrderPaymentCaptured = "payment_captured" v 1 {}
    /// The money is not reserved any more.
    OrderPaymentVoided = "payment_voided" v 1 {}
    /// Paid, and the goods are set aside: the sale is made.
    OrderConfirmed = "order_confirmed" v 1 {
        /// What was paid.
        total: Money,
        /// What was bought.
        lines: Vec<Line>,
    }
    /// The checkout failed.
    OrderRejected = "order_rejected" v 1 {
        /// `out_of_stock`, `payment_declined` or `timeout`; words may be added.
        reason: String,
        /// What it would have cost.
        total: Money,
    }
    /// Given up before the money moved.
    OrderCancelled = "order_cancelled" v 1 {
        /// By whoever gave it up.
        reason: String,
        /// What it would have cost.
        total: Money,
    }
    /// The goods are on their way.
    OrderShipped = "order_shipped" v 1 {
        /// By whom, if it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        carrier: Option<String>,
        /// The carrier's number, if it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tracking_number: Option<String>,
    }
    /// The goods have arrived.
    OrderDelivered = "order_delivered" v 1 {}
    /// The shopper returns items.
    ReturnRequested = "return_requested" v 1 {
        /// The return.
        return_id: ReturnId,
        /// Why the shopper returns them.
        reason: String,
        /// Whether the items had been shipped, so that they must arrive before they are refunded.
        #[serde(default)]
        needs_receipt: bool,
    }
    /// The returned items have arrived; the refund begins.
    ReturnReceived = "return_received" v 1 {
        /// The return.
        return_id: ReturnId,
    }
    /// An operator refused the return, or its refund failed.
    ReturnRefused = "return_refused" v 1 {
        /// The return.
        return_id: ReturnId,
        /// The operator's reason, for the shopper. Absent if the refund failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }
    /// Some of the goods came back, and the money for them went back.
    ReturnCompleted = "return_completed" v 1 {
        /// Which return.
        return_id: ReturnId,
    }
    /// All of the goods have come back.
    OrderReturned = "order_returned" v 1 {
        /// The return with the last of them.
        return_id: ReturnId,
    }
    /// Money went back.
    OrderPaymentRefunded = "payment_refunded" v 1 {
        /// All that went back so far.
        refunded: Money,
        /// What was paid.
        total: Money,
    }
}
