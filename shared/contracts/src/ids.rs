//! Identifiers. All are `UUIDv7`, so they sort by time of creation, except [`CommandId`], which is derived.

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
            /// A new identifier of the present moment.
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
    /// An account.
    UserId,
    /// An order; also the key under which inventory and payments do their work.
    OrderId,
    /// A payment, one an order.
    PaymentId,
    /// Goods that come back.
    ReturnId,
    /// A saga; a checkout's saga has the id of its order.
    SagaId,
    /// A command of a saga; the same at every resend, see [`CommandId::derive`].
    CommandId,
}

impl CommandId {
    /// The id of a step's command, `UUIDv5` of saga, step and direction: whoever resends it says the same thing again,
    /// and the receiver can tell.
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
