//! The three statuses of an order and the status of a return, with the transitions that are allowed.

use crate::stored::stored_enum;

stored_enum! {
    /// The status of an order.
    OrderStatus {
        /// The checkout is in progress.
        Pending = "pending",
        /// The payment was captured, and the items are removed from stock for this order.
        Confirmed = "confirmed",
        /// The checkout failed; the order's `reason` says why.
        Rejected = "rejected",
        /// The shopper or an operator cancelled the order before the payment was captured.
        Cancelled = "cancelled",
        /// The items were handed to the carrier.
        Shipped = "shipped",
        /// The items have arrived at the shopper.
        Delivered = "delivered",
        /// Every item of the order has been returned.
        Returned = "returned",
    }
}

stored_enum! {
    /// The status of an order's payment, as far as orders knows it.
    PaymentStatus {
        /// The payment has not been authorized yet.
        Pending = "pending",
        /// The amount is reserved on the shopper's card.
        Authorized = "authorized",
        /// The amount was charged.
        Captured = "captured",
        /// Nothing was charged, and nothing is reserved any longer.
        Voided = "voided",
        /// The provider refused the authorization.
        Failed = "failed",
        /// A part of the charged amount was refunded.
        PartiallyRefunded = "partially_refunded",
        /// The whole charged amount was refunded.
        Refunded = "refunded",
    }
}

stored_enum! {
    /// The status of an order's items.
    FulfilmentStatus {
        /// The items are not reserved yet.
        Unfulfilled = "unfulfilled",
        /// The items are reserved for this order.
        Reserved = "reserved",
        /// The items were handed to the carrier.
        Shipped = "shipped",
        /// The items have arrived at the shopper.
        Delivered = "delivered",
        /// Every item has been returned.
        Returned = "returned",
        /// The items will not be shipped.
        Cancelled = "cancelled",
    }
}

stored_enum! {
    /// The status of a return.
    ReturnStatus {
        /// The shopper has requested it. Items that were shipped must arrive first; otherwise the refund is under way.
        Requested = "requested",
        /// The items have arrived, and the refund is under way.
        Received = "received",
        /// The money has been refunded, and the items are being restocked.
        Refunded = "refunded",
        /// The money has been refunded, and the items are for sale again.
        Completed = "completed",
        /// An operator refused it, or the refund failed. The items can be returned again.
        Refused = "refused",
    }
}

impl OrderStatus {
    /// Whether an order may change from this status to `next`. A trigger in the database allows the same changes.
    #[must_use]
    pub const fn can_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Confirmed | Self::Rejected | Self::Cancelled)
                | (Self::Confirmed, Self::Shipped)
                | (Self::Shipped, Self::Delivered)
                | (Self::Confirmed | Self::Shipped | Self::Delivered, Self::Returned)
        )
    }

    /// Whether items of an order with this status may be returned.
    #[must_use]
    pub const fn can_be_returned(self) -> bool {
        self.can_become(Self::Returned)
    }

    /// Whether the items have left the warehouse, so that a return must wait until they arrive.
    #[must_use]
    pub const fn was_shipped(self) -> bool {
        matches!(self, Self::Shipped | Self::Delivered)
    }
}

impl PaymentStatus {
    /// The status of a captured payment of which `refunded` minor units of `total` were refunded in all.
    #[must_use]
    pub const fn after_refund(refunded: i64, total: i64) -> Self {
        if refunded >= total {
            Self::Refunded
        } else {
            Self::PartiallyRefunded
        }
    }
}
