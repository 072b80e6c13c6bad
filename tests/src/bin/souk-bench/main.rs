//! `cargo xtask bench …`: what Souk does under load, and what its parts cost.

mod checkout;
mod tracing;

use anyhow::Result;
use clap::Parser;

/// Measures running systems.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
enum Bench {
    /// Confirmed orders a second of the running system, and how long one takes.
    Checkout(checkout::Load),
    /// What tracing costs: systems of its own, alike but for their tracing, measured by turns.
    Tracing(tracing::Comparison),
}

#[tokio::main]
async fn main() -> Result<()> {
    match Bench::parse() {
        Bench::Checkout(load) => checkout::run(load).await,
        Bench::Tracing(comparison) => tracing::run(comparison).await,
    }
}
