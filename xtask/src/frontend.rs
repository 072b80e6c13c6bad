//! Builds and tests the storefront.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    cargo, interrupt,
    progress::{heading, step},
    stack::{Stack, extras, rabbitmq},
    system::install::{self, Node},
};

fn folder() -> PathBuf {
    cargo::workspace().join("frontend")
}

/// Builds the application into the system's folder, from which the gateway serves it. Installs Node.js and the packages if
/// necessary, and does nothing if the build is newer than the sources.
pub(crate) fn build(stack: &Stack) -> Result<()> {
    let target = stack.storefront()?;
    let built = fs::metadata(target.join("index.html")).and_then(|data| data.modified());
    if let Ok(built) = built
        && newest_change(&folder())? < built
    {
        return Ok(());
    }
    let log = stack.log("storefront");
    let node = install_packages(stack)?;
    step("build the storefront", || {
        // Build into a new folder first, so that the gateway never serves a mixture of two builds.
        let fresh = target.with_extension("new");
        let mut vite = node.tool("vite/bin/vite.js")?;
        vite.args(["build", "--emptyOutDir", "--outDir"]).arg(&fresh);
        install::run_logged(&mut vite, &log)?;
        publish(&fresh, &target)
    })
}

/// Writes the settings that differ between systems to a file that the storefront loads.
pub(crate) fn write_settings(stack: &mut Stack) -> Result<()> {
    let port = extras::jaeger_port(stack)?;
    let file = stack.storefront()?.join("settings.json");
    let settings = format!("{{\"jaeger_port\": {port}}}\n");
    if fs::read_to_string(&file).is_ok_and(|present| present == settings) {
        return Ok(());
    }
    fs::write(&file, settings).with_context(|| format!("cannot write {}", file.display()))?;
    install::make_readable(&file)
}

/// Newest modification time of the files and folders that the build reads. A folder's time changes when entries are added
/// or removed.
fn newest_change(path: &Path) -> Result<SystemTime> {
    const NOT_READ: [&str; 5] = [
        "node_modules",
        "dist",
        "tests",
        "test-results",
        "playwright-report",
    ];
    let mut newest = fs::metadata(path)?.modified()?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if !NOT_READ.iter().any(|name| entry.file_name() == *name) {
                newest = newest.max(newest_change(&entry.path())?);
            }
        }
    }
    Ok(newest)
}

/// Returns Node.js, and installs it if necessary.
pub(crate) fn node(stack: &Stack) -> Result<Node> {
    install::node(&stack.tools(), &stack.log("install"), folder())
}

/// Installs Node.js and the packages of the lock file, unless they are installed already.
fn install_packages(stack: &Stack) -> Result<Node> {
    let node = node(stack)?;
    let lock = fs::read(folder().join("package-lock.json")).context("frontend/package-lock.json")?;
    let installed = folder().join("node_modules/.souk");
    if fs::read(&installed).is_ok_and(|known| known == lock) {
        return Ok(node);
    }
    step("install the storefront's packages (npm)", || {
        let mut npm = node.npm();
        npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
        install::run_logged(&mut npm, &stack.log("storefront"))
            .context("npm could not install the packages; check the network")?;
        Ok(fs::write(&installed, &lock)?)
    })?;
    Ok(node)
}

/// Replaces the target folder, and makes it readable for the servers' account regardless of the caller's umask.
fn publish(fresh: &Path, target: &Path) -> Result<()> {
    install::make_readable(fresh)?;
    let old = target.with_extension("old");
    let _ = fs::remove_dir_all(&old);
    if target.exists() {
        fs::rename(target, &old)?;
    }
    fs::rename(fresh, target).with_context(|| format!("cannot create {}", target.display()))?;
    let _ = fs::remove_dir_all(&old);
    Ok(())
}

/// Checks types and lints, runs the unit tests, compares the generated API client with the running API, and runs the
/// browser tests against the running system.
pub(crate) fn test(stack: &mut Stack, gateway: &str, xtask: &Path) -> Result<()> {
    let node = install_packages(stack)?;
    let chromium = install::chromium(&stack.log("install"))?;
    let broker = rabbitmq::management_url(stack)?;
    let run = |what: &str, tool: &str, arguments: &[&str]| -> Result<()> {
        heading(what);
        let mut command = node.tool(tool)?;
        command
            .args(arguments)
            .env("SOUK_URL", gateway)
            .env("SOUK_STATE", &stack.folder)
            .env("SOUK_XTASK", xtask)
            .env("SOUK_TEST_AMQP_MANAGEMENT", &broker)
            .env("SOUK_CHROMIUM", &chromium);
        let status = command.status().with_context(|| what.to_owned())?;
        interrupt::check()?;
        if !status.success() {
            bail!("{what} failed; see its output above");
        }
        Ok(())
    };
    run("tsc", "typescript/bin/tsc6", &["--noEmit"])?;
    run("oxlint", "oxlint/bin/oxlint", &["--deny-warnings"])?;
    run("vitest", "vitest/vitest.mjs", &["run"])?;
    run("the API's client", "../scripts/api.mjs", &[gateway, "--check"])?;
    run(
        "the bundle",
        "../scripts/budget.mjs",
        &[&text(&stack.storefront()?)],
    )?;
    run("playwright", "@playwright/test/cli.js", &["test"])
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl Node {
    /// An `npm` command in the storefront's folder.
    fn npm(&self) -> Command {
        self.command(&self.npm)
    }

    /// A command that runs a script of one of the installed packages.
    fn tool(&self, script: &str) -> Result<Command> {
        let script = self.folder.join("node_modules").join(script);
        if !script.exists() {
            bail!(
                "{} is missing; delete frontend/node_modules and try again",
                script.display()
            );
        }
        Ok(self.command(&script))
    }

    fn command(&self, script: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(script)
            .current_dir(&self.folder)
            .env("PATH", self.path());
        command
    }

    /// Value of `PATH` with which programs started by packages find this Node.js and not an older one.
    pub(crate) fn path(&self) -> OsString {
        let mut path = OsString::from(self.program.parent().unwrap_or(Path::new("/usr/bin")));
        if let Some(rest) = std::env::var_os("PATH") {
            path.push(":");
            path.push(rest);
        }
        path
    }
}
