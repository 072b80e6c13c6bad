//! The storefront: its packages, its build, and its own tests.

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

/// Brings Node.js and the packages, and builds the application into the system's folder, from where the gateway serves it.
pub(crate) fn build(stack: &Stack) -> Result<()> {
    let target = stack.storefront()?;
    let built = fs::metadata(target.join("index.html")).and_then(|data| data.modified());
    if let Ok(built) = built
        && changed(&folder())? < built
    {
        return Ok(());
    }
    let log = stack.log("storefront");
    let node = packages(stack)?;
    step("build the storefront", || {
        // Beside the old one first: whoever loads the page meanwhile gets all of one or all of the other.
        let fresh = target.with_extension("new");
        let mut vite = node.tool("vite/bin/vite.js")?;
        vite.args(["build", "--emptyOutDir", "--outDir"]).arg(&fresh);
        install::quietly(&mut vite, &log)?;
        publish(&fresh, &target)
    })
}

/// Tells the storefront what differs from system to system.
pub(crate) fn settings(stack: &mut Stack) -> Result<()> {
    let port = extras::jaeger_port(stack)?;
    let file = stack.storefront()?.join("settings.json");
    let settings = format!("{{\"jaeger_port\": {port}}}\n");
    if fs::read_to_string(&file).is_ok_and(|present| present == settings) {
        return Ok(());
    }
    fs::write(&file, settings).with_context(|| format!("cannot write {}", file.display()))?;
    install::readable(&file)
}

/// When what the build reads was changed last; a folder changes with what is put in and taken out.
fn changed(path: &Path) -> Result<SystemTime> {
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
                newest = newest.max(changed(&entry.path())?);
            }
        }
    }
    Ok(newest)
}

/// Node.js, brought if need be.
pub(crate) fn node(stack: &Stack) -> Result<Node> {
    install::node(&stack.tools(), &stack.log("install"), folder())
}

/// Node.js, and the packages of the lock file.
fn packages(stack: &Stack) -> Result<Node> {
    let node = node(stack)?;
    let lock = fs::read(folder().join("package-lock.json")).context("frontend/package-lock.json")?;
    let installed = folder().join("node_modules/.souk");
    if fs::read(&installed).is_ok_and(|known| known == lock) {
        return Ok(node);
    }
    step("install the storefront's packages (npm)", || {
        let mut npm = node.npm();
        npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
        install::quietly(&mut npm, &stack.log("storefront"))
            .context("npm could not install them; check the network")?;
        Ok(fs::write(&installed, &lock)?)
    })?;
    Ok(node)
}

/// Puts a folder in the place of another, readable for the servers' account whatever the caller's umask.
fn publish(fresh: &Path, target: &Path) -> Result<()> {
    install::readable(fresh)?;
    let old = target.with_extension("old");
    let _ = fs::remove_dir_all(&old);
    if target.exists() {
        fs::rename(target, &old)?;
    }
    fs::rename(fresh, target).with_context(|| format!("cannot make {}", target.display()))?;
    let _ = fs::remove_dir_all(&old);
    Ok(())
}

/// Types, lints, units, the client against the API that runs, and the pages in a real browser against the real system.
pub(crate) fn test(stack: &mut Stack, gateway: &str, xtask: &Path) -> Result<()> {
    let node = packages(stack)?;
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
            bail!("{what} failed; its output above says why");
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
    /// `npm`, in the storefront's folder.
    fn npm(&self) -> Command {
        self.command(&self.npm)
    }

    /// A program of one of the packages.
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

    /// By which what a package starts by itself finds this Node.js, not an older one.
    pub(crate) fn path(&self) -> OsString {
        let mut path = OsString::from(self.program.parent().unwrap_or(Path::new("/usr/bin")));
        if let Some(rest) = std::env::var_os("PATH") {
            path.push(":");
            path.push(rest);
        }
        path
    }
}
