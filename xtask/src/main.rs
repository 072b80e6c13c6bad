//! `cargo xtask …`: runs, stops, breaks, tests and measures Souk on this machine. It knows how to start the processes, but
//! imports none of their code.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod bench_gateway;
mod builds;
mod cargo;
mod check;
mod check_docs;
mod frontend;
mod interrupt;
mod layers;
mod modules;
mod output;
mod previous;
mod progress;
mod seed;
mod skeleton;
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
    bench::Benchmark,
    cargo::Profile,
    stack::{Mode, SingleServer, Stack, extras::Extra},
    up::{Programs, RequestedExtras},
};

/// Runs, tests and measures Souk.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 110)]
struct Cli {
    /// Folder with the state, data and logs of the system to work on [default: target/souk].
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
        /// Tools to start besides the shop; separate names by commas, or repeat the option.
        #[arg(long, value_delimiter = ',', value_name = "NAME")]
        with: Vec<Extra>,
        /// Start every tool that can be installed on this machine.
        #[arg(long, conflicts_with = "with")]
        full: bool,
        /// Build with optimizations: compiles longer and runs faster.
        #[arg(long)]
        release: bool,
        /// Return when the system is up, and keep it running.
        #[arg(long)]
        detach: bool,
        /// Port of the gateway; by default the port of the last `up`, or 8080.
        #[arg(long, value_name = "PORT")]
        gateway_port: Option<u16>,
        /// Folder with the programs to start; by default they are built.
        #[arg(long, value_name = "DIR", conflicts_with = "release")]
        programs: Option<PathBuf>,
    },
    /// Stops all processes and keeps the data.
    Down,
    /// Stops all processes and deletes the data.
    Reset,
    /// Lists the running processes with their addresses and memory.
    Status {
        /// Print JSON for use by programs.
        #[arg(long)]
        json: bool,
    },
    /// Shows the log of a process.
    Logs {
        /// A name of `status`.
        name: String,
        /// Keep printing new lines as they are written.
        #[arg(short, long)]
        follow: bool,
    },
    /// Kills a process immediately, like a crash (SIGKILL).
    Kill {
        /// A name of `status`.
        name: String,
    },
    /// Stops a process cleanly and waits until it has ended.
    Stop {
        /// A name of `status`.
        name: String,
    },
    /// Starts a process again on its previous ports.
    Start {
        /// A name of `status`.
        name: String,
    },
    /// Applies the pending migrations of every service, also while the system is running.
    Migrate {
        /// Folder with the services' programs, which contain the migrations; by default those of the last `up`.
        #[arg(long, value_name = "DIR")]
        programs: Option<PathBuf>,
        /// Also apply migrations/*/contract, which ends the compatibility with the previous version.
        #[arg(long)]
        contract: bool,
    },
    /// Builds services as they were before a file was added to the repository, and prints the folder of their programs.
    Previous {
        /// The file, such as a migration, relative to the repository.
        #[arg(long, value_name = "FILE")]
        before: PathBuf,
        /// Names of the services.
        #[arg(required = true)]
        services: Vec<String>,
    },
    /// Checks formatting, lints, layers and docs, then runs every test on servers of its own.
    Test {
        /// Arguments for `cargo test`, instead of `--workspace`; the other checks are skipped.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Starts only the servers, and prints the environment for `cargo test -p NAME`.
    Servers {
        /// Start only this server.
        #[arg(long, value_name = "NAME")]
        only: Option<SingleServer>,
    },
    /// Checks the invariants over the databases of the running system.
    Audit {
        /// Arguments for `auditor check`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Measures the performance of systems that it starts, or of the one at `--url`.
    Bench {
        #[command(subcommand)]
        what: Benchmark,
    },
    /// Places past orders for the demo account if it has none; Compose runs this once.
    Seed {
        /// URL of the gateway, such as `http://localhost:8080`.
        #[arg(long, value_name = "URL")]
        gateway: String,
    },
    /// Checks that crates depend only on crates of lower layers, and that services have the same skeleton.
    CheckLayers,
    /// Checks doc comments, wording, and links in Markdown files.
    CheckDocs,
    /// Regenerates the metadata of the SQL queries that are checked at compile time.
    Sqlx {
        /// Only report whether the committed metadata is up to date.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `Debug` may add a backtrace, which does not help: most errors are problems of the machine, not bugs of xtask.
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
            programs,
        } => {
            let requested = if full {
                RequestedExtras::All
            } else {
                RequestedExtras::Only(with)
            };
            let programs = programs.map_or(Programs::Built(profile(release)), Programs::In);
            up::run(open()?, &requested, gateway_port, programs, detach)
        }
        Command::Down => up::down(&mut open()?),
        Command::Reset => up::reset(open()?),
        Command::Status { json } => stack::status::print(&mut open()?, json),
        Command::Logs { name, follow } => stack::logs::print(&open()?, &name, follow),
        Command::Kill { name } => open()?.kill(&name),
        Command::Stop { name } => open()?.stop(&name),
        Command::Start { name } => open()?.start_again(&name),
        Command::Migrate { programs, contract } => up::migrate(open()?, programs, contract),
        Command::Previous { before, services } => previous::run(&before, &services),
        Command::Test { args } => test::run(&args),
        Command::Servers { only } => test::servers(&folder, only),
        Command::Audit { args } => bench::audit(&mut open()?, &args),
        Command::Seed { gateway } => seed::past_orders(&gateway),
        Command::Bench { what } => bench::bench(&what),
        Command::CheckLayers => layers::run(),
        Command::CheckDocs => check_docs::run(),
        Command::Sqlx { check } => sqlx::run(check),
    }
}

fn profile(release: bool) -> Profile {
    if release {
        Profile::Release
    } else {
        Profile::Development
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn help_hides_environment_values() {
        let shown: Vec<_> = Cli::command()
            .get_arguments()
            .filter(|argument| argument.get_env().is_some() && !argument.is_hide_env_values_set())
            .map(|argument| argument.get_id().to_string())
            .collect();
        assert_eq!(shown, [""; 0]);
    }

    #[test]
    fn extras_may_be_separated_by_commas_or_repeated() {
        Cli::command().debug_assert();
        let parse_extras = |arguments: &[&str]| {
            let cli = Cli::try_parse_from([&["cargo xtask", "up"], arguments].concat())?;
            let Command::Up { with, .. } = cli.command else {
                panic!("expected the command `up`")
            };
            Ok::<_, clap::Error>(with)
        };
        let wanted = vec![Extra::Kafka, Extra::Mail, Extra::Jaeger];
        assert_eq!(parse_extras(&["--with", "kafka,mail,jaeger"]).unwrap(), wanted);
        assert_eq!(
            parse_extras(&["--with", "kafka,mail", "--with", "jaeger"]).unwrap(),
            wanted
        );
        let error = parse_extras(&["--with", "grafana"]).unwrap_err().to_string();
        assert!(error.contains("kafka, prometheus, mail, jaeger"), "{error}");
        assert!(parse_extras(&["--with", "kafka", "--full"]).is_err());
    }

    #[test]
    fn only_the_help_of_a_single_bench_comes_from_its_program() {
        let parse = |arguments: &[&str]| Cli::try_parse_from([&["cargo xtask", "bench"], arguments].concat());
        let error = parse(&["--help"]).err().unwrap();
        assert_eq!(error.kind(), clap::error::ErrorKind::DisplayHelp);
        let passed_on = ["--help", "--buyers", "8", "--state"].map(str::to_owned);
        let cli = parse(&["checkout", "--help", "--buyers", "8", "--state"]).unwrap();
        assert!(
            matches!(cli.command, Command::Bench { what: Benchmark::Checkout { args } } if args == passed_on)
        );
    }
}
