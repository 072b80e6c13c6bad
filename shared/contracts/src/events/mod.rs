//! Domain events: facts that a service publishes on Kafka, where any consumer can read and replay them. docs/events.md
//! is their reference. Commands and replies, which have exactly one receiver, are in [`crate::saga`].
//!
//! Unlike a command, an event may be read by a consumer that is older than the event's type. Consumers ignore unknown
//! fields, types and versions, so no struct here uses `deny_unknown_fields`.

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

/// The names of the Kafka topics. The version suffix is raised only for an incompatible change. The service then publishes
/// to both topics until no consumer reads the old one.
pub mod topics {
    /// Events of the orders service, keyed by order id.
    pub const ORDERS: &str = "orders.v1";
    /// Events of the payments service, keyed by payment id.
    pub const PAYMENTS: &str = "payments.v1";
    /// Events of the inventory service, keyed by SKU.
    pub const INVENTORY: &str = "inventory.v1";
    /// Events of the users service, keyed by account id.
    pub const USERS: &str = "users.v1";
    /// Every topic of domain events.
    pub const ALL: [&str; 4] = [ORDERS, PAYMENTS, INVENTORY, USERS];
}

/// The events of one service: an enum with one variant per event type.
pub trait DomainEvent: Sized {
    /// The service that publishes these events, as in [`Envelope::source`].
    const SOURCE: &'static str;
    /// The topic that these events are published to.
    const TOPIC: &'static str;

    /// The event type on the wire, such as `order_placed`.
    fn kind(&self) -> &'static str;
    /// The version of this type's data.
    fn version(&self) -> u32;
    /// The event's data as JSON.
    fn data(&self) -> Value;
    /// Deserializes the data of an event type. Returns `None` if the type or its version is unknown.
    fn read(kind: &str, version: u32, data: &Value) -> Option<Result<Self, serde_json::Error>>;
}

/// Defines one struct per event type, each with the fields that all events of the service share, and the enum of these
/// structs.
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
                // Serializing cannot fail: maps have string keys, and no field has a custom implementation.
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

/// Defines the struct of one event type: first the shared fields, then its own.
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
