//! Refunds of captured payments.

pub(crate) mod create_refund;
