//! The auditor and the bench: programs that run to their end beside the system, with their exit code as ours.

use std::process::ExitStatus;

use anyhow::{Context as _, Result};

use crate::{
    cargo,
    stack::{Stack, services, status},
};

/// The invariants, by the program that the system runs.
pub(crate) fn audit(stack: &mut Stack, arguments: &[String]) -> Result<()> {
    status::check(stack)?;
    exit_unless_good(services::audit(stack, arguments)?);
    Ok(())
}

/// The bench of the crate `e2e`, which is told what runs where.
pub(crate) fn bench(stack: &mut Stack, arguments: &[String]) -> Result<()> {
    let status = serde_json::to_string(&status::of(stack)?)?;
    // All of it, as `up` does: a build of one package alone would resolve other features and compile everything anew.
    cargo::run(&["build", "--quiet", "--workspace", "--bins"])?;
    let program = cargo::binaries()?.join("souk-bench");
    let result = std::process::Command::new(&program)
        .args(arguments)
        .env("SOUK_STATUS", status)
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    exit_unless_good(result);
    Ok(())
}

fn exit_unless_good(result: ExitStatus) {
    if !result.success() {
        std::process::exit(result.code().unwrap_or(1));
    }
}
