//! `cargo xtask …`: runs, stops, breaks, checks and measures Souk on this machine. It knows how the processes are started
//! and nothing of what they do.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod builds;
mod cargo;
mod check;
mod frontend;
mod interrupt;
mod layers;
mod output;
mod progress;
mod seed;
mod sqlx;
mod stack;
mod system;
mod test;
mod up;
mod web;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{
    cargo::Profile,
    stack::{Alone, Mode, Stack, extras::Extra},
    up::Asked,
};

/// Runs, tests and measures Souk.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 110)]
struct Cli {
    /// The folder of the system that is meant; its state, data and logs.
    #[arg(
        long,
        global = true,
        env = "SOUK_STATE",
        hide_env_values = true,
        value_name = "DIR"
    )]
    state: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts the whole system, installing what is missing; Ctrl-C stops it.
    Up {
        /// What to bring up besides the shop; names with commas, or said again.
        #[arg(long, value_delimiter = ',', value_name = "NAME")]
        with: Vec<Extra>,
        /// All there is and can be had on this machine.
        #[arg(long, conflicts_with = "with")]
        full: bool,
        /// Build as for production: takes longer, and runs quicker.
        #[arg(long)]
        release: bool,
        /// Leave it running and return.
        #[arg(long)]
        detach: bool,
        /// The port of the public door; 8080, or what it was the last time.
        #[arg(long, value_name = "PORT")]
        gateway_port: Option<u16>,
    },
    /// Stops everything; the data stays.
    Down,
    /// Stops everything and deletes the data.
    Reset,
    /// Says what runs, and where.
    Status {
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Shows a process's log.
    Logs {
        /// A name of `status`.
        name: String,
        /// Go on as it grows.
        #[arg(short, long)]
        follow: bool,
    },
    /// Ends a process at once, as a crash would (SIGKILL).
    Kill {
        /// A name of `status`.
        name: String,
    },
    /// Asks a process to end, and waits until it has drained.
    Stop {
        /// A name of `status`.
        name: String,
    },
    /// Starts a process again, where it was.
    Start {
        /// A name of `status`.
        name: String,
    },
    /// Formatting, lints, layers, and every test on servers of its own.
    Test {
        /// For `cargo test`, instead of `--workspace`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Starts only the servers, and prints the environment in which `cargo test -p NAME` finds them.
    Servers {
        /// Nothing but this one.
        #[arg(long, value_name = "NAME")]
        only: Option<Alone>,
    },
    /// Checks the invariants over the live databases.
    Audit {
        /// For the auditor.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Measures: `checkout` a system of its own, or one at `--url`; `tracing` several systems; `spans` what they cost one process.
    Bench {
        /// What to measure, and options of the bench.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        args: Vec<String>,
    },
    /// Places the demo account's past orders, unless it has some; Compose runs this once.
    Seed {
        /// The URL of the public door.
        #[arg(long, value_name = "URL")]
        gateway: String,
    },
    /// Checks that dependencies point one way.
    CheckLayers,
    /// Writes the metadata of the checked SQL queries anew.
    Sqlx {
        /// Only say whether what is committed is up to date.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the backtrace that `Debug` may add: what went wrong is for a person, not a fault of this program.
            output::show_line(format_args!("\nerror: {error}"));
            for cause in error.chain().skip(1) {
                output::show_line(format_args!("  because: {cause}"));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let folder = cli
        .state
        .unwrap_or_else(|| cargo::workspace().join("target/souk"));
    let open = || Stack::open(&folder, Mode::Demo);
    match cli.command {
        Command::Up {
            with,
            full,
            release,
            detach,
            gateway_port,
        } => {
            let asked = if full { Asked::All } else { Asked::For(with) };
            let profile = if release {
                Profile::Release
            } else {
                Profile::Development
            };
            up::run(open()?, &asked, gateway_port, profile, detach)
        }
        Command::Down => up::down(&mut open()?),
        Command::Reset => up::reset(open()?),
        Command::Status { json } => stack::status::print(&mut open()?, json),
        Command::Logs { name, follow } => stack::logs::print(&open()?, &name, follow),
        Command::Kill { name } => open()?.kill(&name),
        Command::Stop { name } => open()?.stop(&name),
        Command::Start { name } => open()?.start_again(&name),
        Command::Test { args } => test::run(&args),
        Command::Servers { only } => test::servers(&folder, only),
        Command::Audit { args } => bench::audit(&mut open()?, &args),
        Command::Seed { gateway } => seed::past_orders(&gateway),
        Command::Bench { args } => bench::bench(&args),
        Command::CheckLayers => layers::run(),
        Command::Sqlx { check } => sqlx::run(check),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn help_shows_no_value_of_the_environment() {
        let shown: Vec<_> = Cli::command()
            .get_arguments()
            .filter(|argument| argument.get_env().is_some() && !argument.is_hide_env_values_set())
            .map(|argument| argument.get_id().to_string())
            .collect();
        assert_eq!(shown, [""; 0]);
    }

    #[test]
    fn extras_are_named_with_commas_or_again() {
        Cli::command().debug_assert();
        let asked_for = |arguments: &[&str]| {
            let cli = Cli::try_parse_from([&["cargo xtask", "up"], arguments].concat())?;
            let Command::Up { with, .. } = cli.command else {
                panic!("another command")
            };
            Ok::<_, clap::Error>(with)
        };
        let wanted = vec![Extra::Kafka, Extra::Mail, Extra::Jaeger];
        assert_eq!(asked_for(&["--with", "kafka,mail,jaeger"]).unwrap(), wanted);
        assert_eq!(
            asked_for(&["--with", "kafka,mail", "--with", "jaeger"]).unwrap(),
            wanted
        );
        let error = asked_for(&["--with", "grafana"]).unwrap_err().to_string();
        assert!(error.contains("kafka, prometheus, mail, jaeger"), "{error}");
        assert!(asked_for(&["--with", "kafka", "--full"]).is_err());
    }
}
