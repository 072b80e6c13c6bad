//! The program behind `cargo xtask bench`, which measures Souk under load and the cost of its parts.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod ceiling;
mod checkout;
mod fill;
mod machine;
mod output;
mod scaling;
mod tracing;

use anyhow::Result;
use clap::Parser;

/// Measures the performance of running systems.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
enum Bench {
    /// Measures confirmed orders per second, their latency and their cost.
    Checkout(checkout::Load),
    /// Measures the cost of tracing by comparing systems that differ only in their tracing settings.
    Tracing(tracing::Comparison),
    /// Simulates checkouts on several machines.
    Scaling(scaling::Simulated),
}

#[tokio::main]
async fn main() -> Result<()> {
    match Bench::parse() {
        Bench::Checkout(load) => checkout::run(load).await,
        Bench::Tracing(comparison) => tracing::run(comparison).await,
        Bench::Scaling(options) => scaling::run(&options),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The status of a system contains passwords, which the help text must not show.
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
        assert_ne!(settings, 0, "no setting is read from the environment");
    }
}
