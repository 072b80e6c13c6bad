//! The messages of the sagas: commands to a participant, one reply to each, and notices.
//!
//! A message travels as the JSON of its struct; the AMQP `type` property names the struct and its version. The envelope
//! is in `shared/messaging`.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Money, OrderId, OrderItem, PaymentId, ReturnId};

/// The queues that messages are sent to by name.
pub mod queues {
    /// Commands to inventory.
    pub const INVENTORY: &str = "inventory.commands";
    /// Commands to payments.
    pub const PAYMENTS: &str = "payments.commands";
    /// Replies to the orchestrator, and notices of what changed about an order elsewhere.
    pub const ORDERS: &str = "orders.replies";
}

/// A message that has a name on the wire.
pub trait Message: Serialize + DeserializeOwned {
    /// The AMQP `type`: `service.verb_object.vN`.
    const KIND: &'static str;
}

/// A command as the orchestrator hands it to the messaging: where to, what, and its body.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The queue of the participant.
    pub queue: &'static str,
    /// The AMQP `type`.
    pub kind: &'static str,
    /// The JSON of the message's struct.
    pub body: Value,
}

impl Command {
    fn new<M: Message>(queue: &'static str, message: &M) -> Self {
        // Serialising these structs cannot fail: their maps have string keys and nothing in them is a custom impl.
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
            /// The order whose work it is; the participant's key.
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

commands! { INVENTORY {
    /// Holds the items for a limited time. Refused: `out_of_stock`, `unknown_sku`, `closed`.
    ReserveStock = "inventory.reserve_stock.v1" {
        /// Each SKU once.
        items: Vec<OrderItem>,
    }
    /// Undoes [`ReserveStock`]: gives the items back and closes the order. Never refused.
    ReleaseStock = "inventory.release_stock.v1" {}
    /// Takes the expiry off the holds, before the money moves. Refused: `hold_expired`, `closed`.
    PinStock = "inventory.pin_stock.v1" {}
    /// Undoes [`PinStock`]: the hold expires again. Never refused.
    UnpinStock = "inventory.unpin_stock.v1" {}
    /// The items leave the stock for good. Follows a pinned hold, so a refusal is an invariant broken.
    CommitStock = "inventory.commit_stock.v1" {}
    /// Returned items are for sale again.
    RestockItems = "inventory.restock_items.v1" {
        /// Counted once a return.
        return_id: ReturnId,
        /// Each SKU once.
        items: Vec<OrderItem>,
    }
} }

commands! { PAYMENTS {
    /// Reserves the money with the provider. Refused: `card_declined`, `insufficient_funds`, `unknown_payment_method`, `closed`.
    AuthorizePayment = "payments.authorize_payment.v1" {
        /// The id that the payment will have.
        payment_id: PaymentId,
        /// Whose money, the account's id; decides who may read the payment.
        user_id: crate::UserId,
        /// The order's total.
        amount: Money,
        /// The provider's token of the card, such as `pm_card_ok`.
        payment_method: String,
    }
    /// Undoes [`AuthorizePayment`]. Never refused before a capture.
    VoidPayment = "payments.void_payment.v1" {}
    /// Moves the money: the pivot. Refused: `capture_declined`, `not_authorized`.
    CapturePayment = "payments.capture_payment.v1" {}
    /// Refunds a return: the amount, or the remainder if less than that is left because an operator has refunded a part
    /// already. Refused: `exceeds_captured`, when nothing was captured.
    RefundPayment = "payments.refund_payment.v1" {
        /// Refunded once a return.
        return_id: ReturnId,
        /// The price of the returned items; may be zero if nothing was left to refund when the items arrived.
        amount: Money,
        /// For the shopper and the provider.
        reason: String,
    }
} }

/// A participant's answer to one command; `correlation_id` of its envelope is the saga.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The command that is answered.
    pub command_id: crate::CommandId,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Message for Reply {
    const KIND: &'static str = "saga.reply.v1";
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It is done, now or by an earlier delivery.
    Done,
    /// A business no, which no resend will change.
    Refused {
        /// A word of the command's list, such as `out_of_stock`.
        reason: String,
        /// The same for a person.
        detail: String,
    },
}

/// A notice to orders: money went back outside a saga (on request, or seen by webhook).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentRefunded {
    /// The order that was paid.
    pub order_id: OrderId,
    /// All that was captured.
    pub captured: Money,
    /// All that went back so far.
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
    fn a_reply_is_flat_on_the_wire() {
        let id = CommandId(uuid::Uuid::nil());
        let refused = Outcome::Refused {
            reason: "out_of_stock".into(),
            detail: "2 left".into(),
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

    #[test]
    fn a_resend_has_the_same_id_and_an_undo_another() {
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
