//! End-to-end tests of the whole system: a client of the public API, and access to the running processes. The tests do not
//! start the system; `cargo xtask test` starts it and sets its addresses in the environment.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "this is test code, which fails by panicking and shows the unexpected response"
)]

pub mod client;
pub mod counts;
pub mod products;
pub mod random;
pub mod stack;

pub use client::{Client, Response};
pub use stack::Stack;
