//! The messages of the sagas: commands to a participant, one reply to each command, and notices.
//!
//! The body of a message is the JSON of its struct, and the AMQP `type` property has the struct's wire name and version.
//! `shared/messaging` defines the envelope.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Money, OrderId, OrderItem, PaymentId, ReturnId};

/// The names of the queues that messages are sent to.
pub mod queues {
    /// Receives the commands to inventory.
    pub const INVENTORY: &str = "inventory.commands";
    /// Receives the commands to payments.
    pub const PAYMENTS: &str = "payments.commands";
    /// Receives the replies to the orchestrator, and notices about refunds made outside a saga.
    pub const ORDERS: &str = "orders.replies";
}

/// A message with a type name on the wire.
pub trait Message: Serialize + DeserializeOwned {
    /// The AMQP `type` property, in the form `service.verb_object.vN`.
    const KIND: &'static str;
}

/// A command ready to be sent: its queue, its type and its body.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The queue of the participant that executes the command.
    pub queue: &'static str,
    /// The AMQP `type` property, see [`Message::KIND`].
    pub kind: &'static str,
    /// The JSON of the command's struct.
    pub body: Value,
}

impl Command {
    fn new<M: Message>(queue: &'static str, message: &M) -> Self {
        // Serializing cannot fail: the maps of these structs have string keys, and no field has a custom implementation.
        Self {
            queue,
            kind: M::KIND,
            body: serde_json::to_value(message).unwrap_or_default(),
        }
    }
}

macro_rules! commands {
    ($queue:ident { $($(#[$doc:meta])* $name:ident = $kind:literal {
        $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)?
    })+ }) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The order that the command belongs to. Participants use it as their key.
            pub order_id: OrderId,
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Message for $name {
            const KIND: &'static str = $kind;
        }

        impl From<$name> for Command {
            fn from(message: $name) -> Self {
                Self::new(queues::$queue, &message)
            }
        }
    )+};
}

/// Maximum of [`ReserveStock::hold_seconds`]: one day.
pub const MAX_HOLD_SECONDS: u32 = 24 * 60 * 60;
/// How long [`ReserveStockV1`] holds items: 15 minutes.
pub const V1_HOLD_SECONDS: u32 = 15 * 60;

impl From<ReserveStockV1> for ReserveStock {
    fn from(ReserveStockV1 { order_id, items }: ReserveStockV1) -> Self {
        Self {
            order_id,
            items,
            hold_seconds: V1_HOLD_SECONDS,
        }
    }
}

commands! { INVENTORY {
    /// Holds the items in stock for a limited time. May be refused: `out_of_stock`, `unknown_sku`, `closed`.
    ReserveStock = "inventory.reserve_stock.v2" {
        /// The items to hold. Each SKU occurs once.
        items: Vec<OrderItem>,
        /// How long the items are held unless they are pinned, from 1 second to [`MAX_HOLD_SECONDS`]. A duration and not a
        /// time, because the clocks of two services differ.
        hold_seconds: u32,
    }
    /// The previous version of [`ReserveStock`], which holds the items for [`V1_HOLD_SECONDS`]. Inventory still accepts it
    /// from orders services of the previous version; nothing sends it anymore.
    ReserveStockV1 = "inventory.reserve_stock.v1" {
        /// The items to hold. Each SKU occurs once.
        items: Vec<OrderItem>,
    }
    /// Undoes [`ReserveStock`]: releases the held items and closes the order, so that later reservations are refused. Never
    /// refused itself.
    ReleaseStock = "inventory.release_stock.v1" {}
    /// Removes the expiry of the holds, before the payment is captured. May be refused: `hold_expired`, `closed`.
    PinStock = "inventory.pin_stock.v1" {}
    /// Undoes [`PinStock`]: the holds expire again. Never refused.
    UnpinStock = "inventory.unpin_stock.v1" {}
    /// Removes the held items from stock because they are sold. The holds are pinned, so a refusal means that an invariant
    /// is broken.
    CommitStock = "inventory.commit_stock.v1" {}
    /// Adds returned items to the stock that can be sold.
    RestockItems = "inventory.restock_items.v1" {
        /// The return that the items belong to. Inventory restocks each return only once.
        return_id: ReturnId,
        /// The items to restock. Each SKU occurs once.
        items: Vec<OrderItem>,
    }
} }

commands! { PAYMENTS {
    /// Authorizes the payment with the provider. May be refused: `card_declined`, `insufficient_funds`,
    /// `unknown_payment_method`, `closed`.
    AuthorizePayment = "payments.authorize_payment.v1" {
        /// The id of the payment to create, chosen by the orchestrator.
        payment_id: PaymentId,
        /// The user who pays, and who may therefore read the payment.
        user_id: crate::UserId,
        /// The amount to authorize, which is the order's total.
        amount: Money,
        /// The provider's token for the card, such as `pm_card_ok`.
        payment_method: String,
    }
    /// Undoes [`AuthorizePayment`]: voids the authorization. Never refused before a capture.
    VoidPayment = "payments.void_payment.v1" {}
    /// Captures the payment. This is the pivot of the saga. May be refused: `capture_declined`, `not_authorized`.
    CapturePayment = "payments.capture_payment.v1" {}
    /// Refunds a return. Refunds only the remainder if an operator has already refunded so much that less than the amount
    /// remains. Refused with `exceeds_captured` if nothing was captured.
    RefundPayment = "payments.refund_payment.v1" {
        /// The return that is refunded. Payments refunds each return only once.
        return_id: ReturnId,
        /// The price of the returned items. Zero if nothing remained to be refunded when the items arrived.
        amount: Money,
        /// The reason of the refund, shown to the shopper and sent to the provider.
        reason: String,
    }
} }

/// A participant's reply to one command. The `correlation_id` of its envelope is the id of the saga.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The command that this is the reply to.
    pub command_id: crate::CommandId,
    /// The result of the command.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Message for Reply {
    const KIND: &'static str = "saga.reply.v1";
}

/// The result of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The command has taken effect, now or on an earlier delivery.
    Done,
    /// The participant refused the command for a business reason. Resending the command does not change that.
    Refused {
        /// A code from the list of the command, such as `out_of_stock`.
        reason: String,
        /// An explanation of the reason for a person.
        detail: String,
    },
}

/// A notice to orders that a payment was refunded outside a saga, by an operator or at the provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentRefunded {
    /// The order whose payment was refunded.
    pub order_id: OrderId,
    /// Total amount captured for the order.
    pub captured: Money,
    /// Total amount refunded so far, including this refund.
    pub refunded: Money,
}

impl Message for PaymentRefunded {
    const KIND: &'static str = "payments.payment_refunded.v1";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CommandId;

    #[test]
    fn the_outcome_is_flattened_into_the_reply() {
        let id = CommandId(uuid::Uuid::nil());
        let refused = Outcome::Refused {
            reason: "out_of_stock".into(),
            detail: "2 available".into(),
        };
        let json = serde_json::to_value(Reply {
            command_id: id,
            outcome: refused.clone(),
        })
        .unwrap();
        assert_eq!(json["outcome"], "refused");
        assert_eq!(serde_json::from_value::<Reply>(json).unwrap().outcome, refused);
        let done = serde_json::to_value(Reply {
            command_id: id,
            outcome: Outcome::Done,
        })
        .unwrap();
        assert_eq!(done["outcome"], "done");
    }

    /// The body that orders services of the previous version send. It must never change.
    const RESERVE_STOCK_V1: &str = r#"{"order_id":"0198f2a5-2c7e-7b1f-9c8e-5b6a4d3c2b1a",
        "items":[{"sku":"TEA-0001","quantity":2}]}"#;

    #[test]
    fn the_previous_version_of_a_reservation_is_still_read() {
        let previous: ReserveStockV1 = serde_json::from_str(RESERVE_STOCK_V1).unwrap();
        let current = ReserveStock::from(previous);
        assert_eq!((current.items.len(), current.hold_seconds), (1, 900));
        // Each version rejects the other's body, so they need different types on the wire.
        assert!(serde_json::from_str::<ReserveStock>(RESERVE_STOCK_V1).is_err());
        let json = serde_json::to_string(&current).unwrap();
        assert!(serde_json::from_str::<ReserveStockV1>(&json).is_err(), "{json}");
    }

    #[test]
    fn a_resent_command_has_the_same_id_and_its_undo_a_different_one() {
        let saga = crate::SagaId::generate();
        assert_eq!(
            CommandId::derive(saga, "reserve_stock", "do"),
            CommandId::derive(saga, "reserve_stock", "do")
        );
        assert_ne!(
            CommandId::derive(saga, "reserve_stock", "do"),
            CommandId::derive(saga, "reserve_stock", "undo")
        );
    }
}
