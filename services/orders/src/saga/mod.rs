//! The saga orchestrator. `checkout.rs` says what a saga does, `engine.rs` how it moves, `effects.rs` what that means for
//! the order, `store.rs` how it is kept, `drive.rs` who moves it,
//! `admission.rs` how many are moved at once. Start with `checkout.rs`.

pub(crate) mod admission;
pub mod checkout;
pub mod diagram;
pub mod drive;
pub mod effects;
pub mod engine;
pub mod overdue;
mod proceed;
pub mod store;
pub mod table;
pub mod timeline;

pub(crate) use proceed::{Move, proceed, start};
