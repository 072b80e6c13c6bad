//! Runs cargo from inside a program that cargo started, and locates the workspace and its programs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// Root folder of the repository.
pub(crate) fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// A cargo command in the workspace, without the variables that the outer cargo has set for xtask itself.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new("cargo");
    // Check SQL against the committed metadata, even if a developer's `.env` names a database.
    command.current_dir(workspace()).env("SQLX_OFFLINE", "true");
    for (key, _) in std::env::vars_os() {
        let name = key.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name.starts_with("SOUK_")
        {
            command.env_remove(&key);
        }
    }
    command
}

/// Runs cargo, which shows its own progress. Fails if cargo does.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    crate::progress::heading(&format!("cargo {}", arguments.join(" ")));
    let status = cargo().args(arguments).status().context("cannot run cargo")?;
    crate::interrupt::check()?;
    if !status.success() {
        bail!("`cargo {}` failed; see its output above", arguments.join(" "));
    }
    Ok(())
}

/// The part of the output of `cargo metadata` that xtask uses: the packages of the workspace.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `dev` or `build`; `None` for a normal dependency.
    pub(crate) kind: Option<String>,
}

pub(crate) fn metadata() -> Result<Metadata> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata")
}

/// The cargo profile of the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Compiles quickly.
    Development,
    /// Optimized, as in images; for measurements.
    Release,
}

impl Profile {
    /// Builds all programs and returns their folder. It always builds the whole workspace, because a single package would
    /// resolve to different features and recompile every dependency.
    pub(crate) fn build(self) -> Result<PathBuf> {
        let release: &[&str] = match self {
            Self::Development => &[],
            Self::Release => &["--release"],
        };
        run(&[&["build", "--workspace", "--bins"], release].concat())?;
        self.binaries()
    }

    /// The folder that contains the built programs.
    pub(crate) fn binaries(self) -> Result<PathBuf> {
        let folder = match self {
            Self::Development => "debug",
            Self::Release => "release",
        };
        Ok(metadata()?.target_directory.join(folder))
    }
}
