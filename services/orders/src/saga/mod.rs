//! The saga orchestrator. Read it in this order: `checkout.rs` declares the sagas, `engine.rs` moves from step to step,
//! `decide.rs` and `plan.rs` derive everything that a move writes and sends, and `apply.rs` writes it. `orchestrator.rs`
//! receives replies and runs the timers, `overdue.rs` says when a reply is overdue, and `admission.rs` limits how many
//! checkouts are in flight.

pub(crate) mod admission;
mod apply;
pub mod checkout;
mod decide;
pub mod diagram;
pub mod dispatch;
pub mod engine;
pub mod log;
pub mod orchestrator;
pub mod overdue;
pub mod plan;
pub mod state;
pub mod table;
pub mod timeline;

pub use apply::apply;
pub(crate) use apply::{advance, start};
pub use decide::{Action, Cause, Impossible};
