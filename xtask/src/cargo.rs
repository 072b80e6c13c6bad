//! Cargo, run from inside cargo: where things are, and building.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// The root of the repository.
pub(crate) fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Cargo, in the workspace, without what an outer cargo has put into the environment about xtask itself.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new("cargo");
    // SQL is checked against what is committed, not against a database that a developer's `.env` may name.
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

/// A step that is one run of cargo, which shows its own progress.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    crate::progress::heading(&format!("cargo {}", arguments.join(" ")));
    let status = cargo().args(arguments).status().context("cannot run cargo")?;
    crate::interrupt::check()?;
    if !status.success() {
        bail!(
            "`cargo {}` failed; its output above says why",
            arguments.join(" ")
        );
    }
    Ok(())
}

/// What `cargo metadata` says about the workspace's own packages.
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
    /// `None` is a normal one.
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

/// How programs are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build.
    Development,
    /// As in images; for measuring.
    Release,
}

impl Profile {
    /// Builds all programs, and says where they are. All of them: a build of one package alone would resolve other
    /// features and compile everything anew.
    pub(crate) fn build(self) -> Result<PathBuf> {
        let release: &[&str] = match self {
            Self::Development => &[],
            Self::Release => &["--release"],
        };
        run(&[&["build", "--workspace", "--bins"], release].concat())?;
        self.binaries()
    }

    /// Where the programs are.
    pub(crate) fn binaries(self) -> Result<PathBuf> {
        let folder = match self {
            Self::Development => "debug",
            Self::Release => "release",
        };
        Ok(metadata()?.target_directory.join(folder))
    }
}
