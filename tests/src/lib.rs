//! The whole system seen from outside: a client of the public API, the running stack, and the audit of the invariants.
//! The tests here start nothing; `cargo xtask test` brings the system up and says where it is.

pub mod audit;
pub mod client;
pub mod stack;

pub use client::{Answer, Client};
pub use stack::Stack;
