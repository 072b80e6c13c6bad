//! The auditor on real databases, with the rights that its accounts have.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod api;
mod audit;
mod plants;
mod rights;
mod support;
mod told;
