//! `cargo xtask audit`: the invariants over the live databases, one line each; exit code 1 on a violation.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use e2e::{audit, stack::Status};

/// Checks what must always hold.
#[derive(Parser)]
struct Arguments {
    /// Seconds to wait for running checkouts to come to rest first.
    #[arg(long, default_value_t = 30)]
    settle: u64,
    /// The JSON of `cargo xtask status --json`.
    #[arg(long, env = "SOUK_STATUS")]
    status: String,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let status = Status::parse(&arguments.status)?;
    let report = audit::at_rest(&status, Duration::from_secs(arguments.settle)).await?;
    println!("{report}");
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
