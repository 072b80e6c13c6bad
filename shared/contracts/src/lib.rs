//! The contracts between Souk's services: identifiers, money, saga commands and replies, domain events and protobuf.
//! The crate has only types and their validation. It must never do I/O.

mod address;
pub mod events;
mod ids;
mod mail_token;
mod money;
mod namespace;
pub mod saga;
mod sku;

pub use address::Address;
pub use ids::{CommandId, OrderId, PaymentId, ReturnId, SagaId, UserId};
pub use mail_token::{MailTokenKind, MailTokens};
pub use money::{Currency, InvalidCurrency, Money, MoneyError};
pub use namespace::Namespace;
pub use sku::{InvalidQuantity, InvalidSku, OrderItem, Quantity, Sku};

/// gRPC contracts, generated from `proto/`.
pub mod proto {
    /// The service `souk.inventory.v1`: price quotes and availability.
    #[expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated code; the documentation is in the .proto file"
    )]
    pub mod inventory {
        tonic::include_proto!("souk.inventory.v1");
    }

    /// The encoded `FileDescriptorSet` of every contract, for server reflection and the gateway's REST to gRPC mapping.
    pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
}
