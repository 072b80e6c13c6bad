//! The process: `auditor` serves, `auditor check` checks once and ends with exit code 1 on a violation.

use std::{io::Write as _, process::ExitCode, time::Duration};

use auditor::{Databases, app, audit, config::Config};
use clap::{Parser, Subcommand};
use events::Namespace;

/// Checks what must always hold over all databases. Without a command it serves, and goes on checking.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Checks what must always hold.
    Check {
        /// Seconds to wait for running checkouts to come to rest first.
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
            let report = audit::at_rest(&databases, Duration::from_secs(settle)).await?;
            // The exit code counts even where nobody reads the report to its end, such as `head`.
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
