//! Returns of items. Items that were not shipped are refunded and restocked at once. A return of shipped items waits until an
//! operator confirms that they have arrived, or refuses the return. Refund and restock are a saga whose pivot is the refund.
//!
//! Requesting, receiving, refusing and shipping all lock the order's row first, so that a shipment and an immediate refund of
//! the same items never both succeed.

pub mod confirm_receipt;
pub mod create_return;
pub mod refuse_return;
mod requested;
pub(crate) mod store;
