//! The auditor and the bench: programs of the crate `e2e` that are told what runs where.

use anyhow::{Context as _, Result};

use crate::{
    cargo,
    stack::{Stack, status},
};

/// Builds such a program and runs it to its end, with its exit code as ours.
pub(crate) fn run(stack: &mut Stack, name: &str, arguments: &[String]) -> Result<()> {
    let status = serde_json::to_string(&status::of(stack)?)?;
    // All of it, as `up` does: a build of one package alone would resolve other features and compile everything anew.
    cargo::run(&["build", "--quiet", "--workspace", "--bins"])?;
    let program = cargo::binaries()?.join(name);
    let result = std::process::Command::new(&program)
        .args(arguments)
        .env("SOUK_STATUS", status)
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !result.success() {
        std::process::exit(result.code().unwrap_or(1));
    }
    Ok(())
}
