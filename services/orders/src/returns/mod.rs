//! Goods that come back: a saga of its own, whose pivot is the refund.

pub mod create_return;
pub(crate) mod store;
