//! Builds services as they were before a file was added to the repository, from its history. Tests run them beside the current
//! version.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    cargo::{self, Profile},
    interrupt,
    output::print,
};

/// Suffix of the names under which cargo builds the previous programs, beside the current ones.
const SUFFIX: &str = "-previous";

/// Builds the services and prints the folder of their programs, which have the services' names. The folder also has the rights
/// of the auditor at that time.
pub(crate) fn run(before: &Path, services: &[String]) -> Result<()> {
    interrupt::listen()?;
    let commit = parent_of_addition(before)?;
    let folder = cargo::metadata()?.target_directory.join("previous").join(&commit);
    let sources = folder.join("sources");
    unpack(&commit, &sources)?;
    set_version(&sources)?;
    for service in services {
        rename_program(&sources, service)?;
    }
    build(&sources, services)?;
    for service in services {
        let built = Profile::Development
            .binaries()?
            .join(format!("{service}{SUFFIX}"));
        let copy = folder.join(service);
        let _ = fs::remove_file(&copy);
        fs::copy(&built, &copy).with_context(|| format!("cannot copy {}", built.display()))?;
    }
    let grants = folder.join("grants");
    fs::create_dir_all(&grants)?;
    for file in fs::read_dir(sources.join("services/auditor/grants"))? {
        let file = file?;
        fs::copy(file.path(), grants.join(file.file_name()))?;
    }
    print(folder.display())?;
    Ok(())
}

/// The commit before the one that added the file.
fn parent_of_addition(file: &Path) -> Result<String> {
    let path = file.to_string_lossy();
    let added = git(&["log", "--diff-filter=A", "--format=%H", "-1", "--", &path])?;
    ensure!(
        !added.is_empty(),
        "the history has no commit that added {path}; a shallow clone lacks it: git fetch --unshallow"
    );
    git(&["rev-parse", "--verify", "--quiet", &format!("{added}^")])
        .with_context(|| format!("the history does not reach back to the version before {path}"))
}

fn git(arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .current_dir(cargo::workspace())
        .args(arguments)
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        bail!(
            "git {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Writes the files of a commit to the folder. Files keep the time of the commit, so cargo does not build them again.
fn unpack(commit: &str, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut archive = Command::new("git")
        .current_dir(cargo::workspace())
        .args(["archive", commit])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run git")?;
    let files = archive.stdout.take().context("git has no output")?;
    let status = Command::new("tar")
        .args(["-x", "-C"])
        .arg(folder)
        .stdin(files)
        .status()
        .context("cannot run tar")?;
    ensure!(
        archive.wait()?.success() && status.success(),
        "cannot unpack the commit {commit}"
    );
    Ok(())
}

/// Gives the packages another version. Otherwise cargo would take them for the current ones, and mix the libraries of both.
fn set_version(sources: &Path) -> Result<()> {
    let version = "[workspace.package]\nversion = \"";
    replace(
        &sources.join("Cargo.toml"),
        version,
        &format!("{version}0.0.0-before-"),
    )
}

/// Gives the program of a service another name, because cargo puts it into the same folder as the current one.
fn rename_program(sources: &Path, service: &str) -> Result<()> {
    let file = sources.join("services").join(service).join("Cargo.toml");
    let program = format!(
        "[[bin]]\nname = \"{service}{SUFFIX}\"\npath = \"src/main.rs\"\n\n[package]\nautobins = false\n"
    );
    replace(&file, "[package]\n", &program)
}

/// Replaces a text in a manifest. The file keeps its time.
fn replace(file: &Path, from: &str, to: &str) -> Result<()> {
    let manifest = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    ensure!(manifest.contains(from), "{} has no {from:?}", file.display());
    let modified = file.metadata()?.modified()?;
    fs::write(file, manifest.replacen(from, to, 1))?;
    fs::File::options()
        .append(true)
        .open(file)?
        .set_modified(modified)?;
    Ok(())
}

/// Builds the programs into the folder of the current ones, to use the dependencies that are compiled already.
fn build(sources: &Path, services: &[String]) -> Result<()> {
    let target: PathBuf = cargo::metadata()?.target_directory;
    let mut cargo = cargo::cargo();
    cargo.current_dir(sources).env("CARGO_TARGET_DIR", target);
    // With a test, cargo chooses the same features of dependencies as for the current tests and programs. Its package must
    // have no programs: cargo builds them as well, over the current ones.
    cargo.args(["build", "--workspace", "--test", "extract"]);
    for service in services {
        cargo.args(["--bin", &format!("{service}{SUFFIX}")]);
    }
    // Only the folder belongs to the output of this command.
    let status = cargo.stdout(Stdio::null()).status().context("cannot run cargo")?;
    interrupt::check()?;
    ensure!(status.success(), "cannot build the previous version");
    Ok(())
}
