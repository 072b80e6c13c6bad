//! The executable: `auditor` serves the API, `auditor check` checks once and exits with code 1 if it finds a violation.

use std::{io::Write as _, process::ExitCode, time::Duration};

use auditor::{Databases, app, audit, config::Config};
use clap::{Parser, Subcommand};
use events::Namespace;

/// Checks the invariants that span Souk's databases. Without a command it serves the API and checks every minute.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Checks every invariant once and prints a report.
    Check {
        /// Maximum number of seconds to wait for running checkouts to finish before checking.
        #[arg(long, default_value_t = 30)]
        settle: u64,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let config: Config = souk_config::load()?;
    match arguments.command {
        None => {
            let _telemetry = telemetry::init("auditor", config.log.unwrap_or_default())?;
            app::run(config, souk_http::shutdown_signal()).await?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Check { settle }) => {
            let databases = Databases::new(&config, &Namespace::default()).await?;
            let report = audit::when_idle(&databases, Duration::from_secs(settle)).await?;
            // The exit code matters even if the reader of the report stops early, as `head` does.
            match writeln!(std::io::stdout(), "{report}") {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
                written => written?,
            }
            Ok(if report.clean {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
    }
}
