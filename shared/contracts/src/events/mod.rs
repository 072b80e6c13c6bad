//! Domain events: facts that a service tells anyone on Kafka, kept and replayable. docs/events.md documents them like an
//! API. Commands and replies, which are work for one, are in [`crate::saga`].
//!
//! Unlike a command, an event is read by programs that were built before it: a reader ignores fields that it does not
//! know, and passes over types and versions that it does not know. So nothing in here denies unknown fields.

mod envelope;
mod inventory;
mod orders;
mod payments;
#[cfg(test)]
mod tests;
mod users;

pub use envelope::{Envelope, Trace, Undecodable};
pub use inventory::{
    InventoryEvent, ProductChanged, ProductCreated, ProductDeleted, ProductFacts, StockChanged,
};
pub use orders::{
    Line, OrderCancelled, OrderConfirmed, OrderDelivered, OrderEvent, OrderPaymentAuthorized,
    OrderPaymentCaptured, OrderPaymentFailed, OrderPaymentRefunded, OrderPaymentVoided, OrderPlaced,
    OrderRejected, OrderReturned, OrderShipped, ReturnCompleted, ReturnReceived, ReturnRefused,
    ReturnRequested, StockReleased, StockReserved,
};
pub use payments::{
    CaptureRefused, PaymentAuthorized, PaymentCaptured, PaymentEvent, PaymentExpired, PaymentFailed,
    PaymentRefunded, PaymentVoided,
};
pub use users::{
    EmailVerified, PasswordChanged, PasswordResetRequested, UserChanged, UserDisabled, UserEnabled,
    UserEvent, UserRegistered, VerificationExpired, VerificationRequested,
};

use serde_json::Value;

/// The topics. The suffix is raised only for a change that no reader could pass over; the old topic is then fed beside
/// the new one for as long as anyone reads it.
pub mod topics {
    /// By orders; the key is the order's id.
    pub const ORDERS: &str = "orders.v1";
    /// By payments; the key is the payment's id.
    pub const PAYMENTS: &str = "payments.v1";
    /// By inventory; the key is the SKU.
    pub const INVENTORY: &str = "inventory.v1";
    /// By users; the key is the account's id.
    pub const USERS: &str = "users.v1";
    /// All of them.
    pub const ALL: [&str; 4] = [ORDERS, PAYMENTS, INVENTORY, USERS];
}

/// The events of one service: an enum with a variant a type.
pub trait DomainEvent: Sized {
    /// The service that tells them, as in the envelope.
    const SOURCE: &'static str;
    /// Where they are told.
    const TOPIC: &'static str;

    /// The type on the wire, such as `order_placed`.
    fn kind(&self) -> &'static str;
    /// The version of the type's data.
    fn version(&self) -> u32;
    /// The data as JSON.
    fn data(&self) -> Value;
    /// Reads the data of a type; `None` for a type or a version of it that this program does not know.
    fn read(kind: &str, version: u32, data: &Value) -> Option<Result<Self, serde_json::Error>>;
}

/// A struct a type, each with the fields that all events of the service have, and the enum of them.
macro_rules! events {
    (
        $(#[$enum_doc:meta])*
        $events:ident of $source:literal on $topic:ident,
        each with $common:tt
        $($(#[$doc:meta])* $name:ident = $kind:literal v $version:literal {
            $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)?
        })+
    ) => {
        $(
            crate::events::data!($(#[$doc])* $name $common { $($(#[$field_doc])* $field: $type,)* });

            impl From<$name> for $events {
                fn from(event: $name) -> Self {
                    Self::$name(event)
                }
            }
        )+

        $(#[$enum_doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $events {
            $($(#[$doc])* $name($name),)+
        }

        impl crate::events::DomainEvent for $events {
            const SOURCE: &'static str = $source;
            const TOPIC: &'static str = crate::events::topics::$topic;

            fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $kind,)+ }
            }

            fn version(&self) -> u32 {
                match self { $(Self::$name(_) => $version,)+ }
            }

            fn data(&self) -> serde_json::Value {
                // Cannot fail: maps have string keys, and nothing in them is a custom impl.
                match self { $(Self::$name(event) => serde_json::to_value(event).unwrap_or_default(),)+ }
            }

            fn read(
                kind: &str,
                version: u32,
                data: &serde_json::Value,
            ) -> Option<Result<Self, serde_json::Error>> {
                match (kind, version) {
                    $(($kind, $version) => Some(<$name as serde::Deserialize>::deserialize(data).map(Self::$name)),)+
                    _ => None,
                }
            }
        }
    };
}
use events;

/// One of those structs: first the fields that all have, then its own.
macro_rules! data {
    (
        $(#[$doc:meta])* $name:ident
        { $($(#[$common_doc:meta])* $common:ident: $common_type:ty,)+ }
        { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($(#[$common_doc])* pub $common: $common_type,)+
            $($(#[$field_doc])* pub $field: $type,)*
        }
    };
}
use data;
