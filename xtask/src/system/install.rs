//! What must be on the machine, and how it gets there: packages of Debian and its kin by apt, the MongoDB server by pip
//! into a virtual environment of Souk's own. Installed services are not started: Souk starts its own instances.

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
/// Its program.
const STAND_IN_PROGRAM: &str = "secantusd-py";
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
    let mongod = find("mongod");
    let stand_in = tools.join("venv/bin").join(STAND_IN_PROGRAM);
    if mongod.is_none() && !is_executable(&stand_in) && !python_makes_environments() {
        missing.push("python3-venv");
    }
    if !missing.is_empty() {
        packages(&missing, log)?;
    }
    let mongodb = if let Some(program) = mongod {
        MongoServer::Mongod(program)
    } else {
        if !is_executable(&stand_in) {
            step(
                &format!("install {STAND_IN}, which serves MongoDB's protocol"),
                || environment(tools, log),
            )?;
        }
        MongoServer::StandIn(stand_in)
    };
    let lost =
        |what: &str| format!("{what} is installed, but not where it is looked for; please report this");
    Ok(Servers {
        postgres: postgres().with_context(|| lost("PostgreSQL"))?,
        rabbitmq: rabbitmq().with_context(|| lost("RabbitMQ"))?,
        epmd: epmd().with_context(|| lost("Erlang's epmd"))?,
        mongodb,
    })
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

fn packages(names: &[&str], log: &Path) -> Result<()> {
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

fn environment(tools: &Path, log: &Path) -> Result<()> {
    let script = r#"set -e; umask 022; rm -rf "$1"; "$2" -m venv "$1"
                    "$1/bin/pip" install --disable-pip-version-check --no-input "$3""#;
    let folder = tools.join("venv");
    std::fs::create_dir_all(tools)?;
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh"])
        .arg(&folder)
        .arg(python())
        .arg(STAND_IN);
    quietly(&mut command, log).with_context(|| {
        format!("{STAND_IN} could not be installed from PyPI; check the network, or put a `mongod` on PATH")
    })
}

/// Runs an installer, which may ask for a password but otherwise speaks into the log.
fn quietly(command: &mut Command, log: &Path) -> Result<()> {
    let output = OpenOptions::new().create(true).append(true).open(log)?;
    let from = output.metadata()?.len();
    let status = command.stdout(output.try_clone()?).stderr(output).status()?;
    interrupt::check()?;
    if !status.success() {
        bail!("the end of {}:\n{}", log.display(), process::tail(log, from));
    }
    Ok(())
}
