//! `cargo xtask bench …`: what Souk does under load, and what its parts cost.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod ceiling;
mod checkout;
mod fill;
mod machine;
mod output;
mod tracing;

use anyhow::Result;
use clap::Parser;

/// Measures running systems.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
enum Bench {
    /// Confirmed orders a second, how long one takes, and what it costs.
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The status of a system holds its passwords.
    #[test]
    fn help_shows_no_value_of_the_environment() {
        let mut settings = 0;
        for command in Bench::command().get_subcommands() {
            for argument in command
                .get_arguments()
                .filter(|argument| argument.get_env().is_some())
            {
                assert!(argument.is_hide_env_values_set(), "{}", argument.get_id());
                settings += 1;
            }
        }
        assert_ne!(settings, 0, "the status comes from the environment");
    }
}
