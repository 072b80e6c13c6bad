//! The three statuses of an order, and which one may follow which.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// As it is stored and shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

words! {
    /// Where an order stands.
    OrderStatus {
        /// Its checkout runs.
        Pending = "pending",
        /// Paid, and its items are set aside.
        Confirmed = "confirmed",
        /// The checkout failed; `reason` says why.
        Rejected = "rejected",
        /// Given up before the money moved.
        Cancelled = "cancelled",
        /// On its way.
        Shipped = "shipped",
        /// Arrived.
        Delivered = "delivered",
        /// Everything came back.
        Returned = "returned",
    }
}

words! {
    /// What happened to the money, as far as orders knows.
    PaymentStatus {
        /// Nothing yet.
        Pending = "pending",
        /// Reserved.
        Authorized = "authorized",
        /// Taken.
        Captured = "captured",
        /// Not taken, and no longer reserved.
        Voided = "voided",
        /// The provider refused.
        Failed = "failed",
        /// Some of it went back.
        PartiallyRefunded = "partially_refunded",
        /// All of it went back.
        Refunded = "refunded",
    }
}

words! {
    /// What happened to the goods.
    FulfilmentStatus {
        /// Nothing yet.
        Unfulfilled = "unfulfilled",
        /// Held for this order.
        Reserved = "reserved",
        /// On their way.
        Shipped = "shipped",
        /// Arrived.
        Delivered = "delivered",
        /// All came back.
        Returned = "returned",
        /// They will not be sent.
        Cancelled = "cancelled",
    }
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Confirmed,
        Self::Rejected,
        Self::Cancelled,
        Self::Shipped,
        Self::Delivered,
        Self::Returned,
    ];

    /// Whether `next` may follow. The database has the same edges as a trigger.
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

    /// Whether items of it may be returned.
    #[must_use]
    pub const fn can_be_returned(self) -> bool {
        self.can_become(Self::Returned)
    }

    /// Whether its items have left the warehouse, and none of them can be kept from leaving.
    #[must_use]
    pub const fn was_shipped(self) -> bool {
        matches!(self, Self::Shipped | Self::Delivered)
    }

    /// From its stored word.
    pub fn parse(word: &str) -> sqlx::Result<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| sqlx::Error::Decode(format!("no order status: {word}").into()))
    }
}
