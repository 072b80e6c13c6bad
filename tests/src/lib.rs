//! The whole system seen from outside: a client of the public API, and the running stack.
//! The tests here start nothing; `cargo xtask test` brings the system up and says where it is.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "this is test code: it fails by panicking, with the answer that it did not expect"
)]

pub mod client;
pub mod counts;
pub mod products;
pub mod stack;

pub use client::{Answer, Client};
pub use stack::Stack;
