//! Typed identifiers. All are `UUIDv7`, which sort by creation time, except [`CommandId`], which is derived.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Creates a new identifier from the current time.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// Identifies a user account.
    UserId,
    /// Identifies an order. Inventory and payments use it as the key of their part of the order.
    OrderId,
    /// Identifies a payment. Each order has at most one.
    PaymentId,
    /// Identifies a return of items from one order.
    ReturnId,
    /// Identifies a saga. The saga of a checkout has the same id as its order.
    SagaId,
    /// Identifies a command of a saga. It is the same each time the command is sent, see [`CommandId::derive`].
    CommandId,
}

impl CommandId {
    /// Derives the id of a step's command: the `UUIDv5` of saga, step and direction (`do` or `undo`). A resent command
    /// therefore has the same id, and the receiver recognizes it as a duplicate.
    #[must_use]
    pub fn derive(saga: SagaId, step: &str, direction: &str) -> Self {
        Self(Uuid::new_v5(&saga.0, format!("{step}/{direction}").as_bytes()))
    }
}

impl From<OrderId> for SagaId {
    fn from(order: OrderId) -> Self {
        Self(order.0)
    }
}
