//! Builds programs with Go from their published modules, because no package manager has them. A build takes minutes, so it
//! runs at the lowest priority and can be cancelled at any time.

use std::{
    fs::{File, OpenOptions},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use super::{find, install::Node, is_executable, process};
use crate::interrupt;

/// The oldest supported minor version of Go 1. Since this version, Go downloads a newer one if a module requires it.
const GO_AT_LEAST: u32 = 21;

/// A program to build, and the module that contains it.
#[derive(Debug)]
pub(crate) struct Tool {
    /// File name of the program.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    module: &'static str,
    version: &'static str,
    package: &'static str,
    /// Whether npm must build its web pages first.
    pub(crate) has_pages: bool,
}

pub(crate) const MAILPIT: Tool = Tool {
    name: "mailpit",
    title: "Mailpit",
    module: "github.com/axllent/mailpit",
    version: "v1.27.11",
    package: ".",
    has_pages: true,
};

/// Jaeger 2.13; its module continues the version numbers of Jaeger 1. No module contains its web pages: see deploy/jaeger.
pub(crate) const JAEGER: Tool = Tool {
    name: "jaeger",
    title: "Jaeger",
    module: "github.com/jaegertracing/jaeger",
    version: "v1.76.0",
    package: "./cmd/jaeger",
    has_pages: false,
};

/// Builds in a copy of the module's folder, with the module's own dependency list; the original is read-only. The program
/// gets its final name only when it is complete.
const SCRIPT: &str = r#"set -e; umask 022
    rm -rf "$DRAFT"; mkdir -p "$DRAFT"; cd "$DRAFT"
    go mod download "$MODULE@$VERSION"
    cp -R "$(go env GOMODCACHE)/$MODULE@$VERSION" source; chmod -R u+w source; cd source
    if [ -n "$NPM" ]; then
        "$NODE" "$NPM" ci --no-audit --no-fund --loglevel=error
        "$NODE" "$NPM" run build
    fi
    go build -mod=readonly -trimpath -buildvcs=false -ldflags '-s -w' -o ../program "$PACKAGE"
    cd ..; mv program "$TARGET"; rm -rf "$DRAFT""#;

impl Tool {
    /// Path of the built program, if it exists.
    pub(crate) fn built(&self, tools: &Path) -> Option<PathBuf> {
        Some(self.target(tools)).filter(|file| is_executable(file))
    }

    fn target(&self, tools: &Path) -> PathBuf {
        tools.join(format!("{}-{}", self.name, self.version))
    }

    /// Fails with instructions if the program cannot be built on this machine.
    pub(crate) fn check(&self) -> Result<()> {
        let problem = match find("go").map(|go| minor(&go)) {
            None => "Go is not installed".to_owned(),
            Some(Some(minor)) if minor < GO_AT_LEAST => {
                format!("the installed Go 1.{minor} is too old to build it")
            }
            Some(_) => return Ok(()),
        };
        bail!(
            "{} is not on PATH, and {problem}; put a `{}` on PATH, install Go 1.{GO_AT_LEAST} or newer, or do without",
            self.title,
            self.name
        )
    }

    /// Builds it into `tools`; `node` is for its pages. What the build says goes into the log.
    pub(crate) fn build(
        &self,
        tools: &Path,
        node: Option<&Node>,
        log: &Path,
        cancelled: &AtomicBool,
    ) -> Result<()> {
        std::fs::create_dir_all(tools).with_context(|| format!("cannot make {}", tools.display()))?;
        // Another system of this checkout may be building it.
        let lock = File::create(tools.join(format!("{}.lock", self.name)))?;
        while lock.try_lock().is_err() {
            wait_a_moment(cancelled)?;
        }
        if self.built(tools).is_some() {
            return Ok(());
        }
        let mut command = Command::new("nice");
        command
            .args(["-n", "19", "sh", "-c", SCRIPT])
            .env("DRAFT", tools.join(format!("{}-draft", self.name)))
            .env("TARGET", self.target(tools))
            .envs([
                ("MODULE", self.module),
                ("VERSION", self.version),
                ("PACKAGE", self.package),
                // One file that runs anywhere, whatever the caller's Go is set up for.
                ("CGO_ENABLED", "0"),
                ("GO111MODULE", "on"),
                ("GOWORK", "off"),
            ])
            .env("NPM", "");
        if let Some(node) = node {
            command
                .env("NODE", &node.program)
                .env("NPM", &node.npm)
                .env("PATH", node.path());
        }
        run(&mut command, log, cancelled)
            .with_context(|| format!("{} could not be built; check the network", self.title))
    }
}

/// Runs the command until it ends or is cancelled. After a cancellation it also ends all child processes.
fn run(command: &mut Command, log: &Path, cancelled: &AtomicBool) -> Result<()> {
    let output = OpenOptions::new().create(true).append(true).open(log)?;
    let from = output.metadata()?.len();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        // A process group of its own: only xtask receives Ctrl-C, and then ends the group.
        .process_group(0)
        .spawn()?;
    let group = Pid::from_child(&child);
    loop {
        if let Some(status) = child.try_wait()? {
            if status.success() {
                return Ok(());
            }
            bail!("the end of {}:\n{}", log.display(), process::tail(log, from));
        }
        if let Err(error) = wait_a_moment(cancelled) {
            // On SIGINT, Go deletes its temporary files. SIGKILL then ends the remaining processes.
            let _ = kill_process_group(group, Signal::INT);
            let _ = interrupt::wait(Duration::from_secs(5), || Ok(child.try_wait()?.is_some()));
            let _ = kill_process_group(group, Signal::KILL);
            let _ = child.wait();
            return Err(error);
        }
    }
}

fn wait_a_moment(cancelled: &AtomicBool) -> Result<()> {
    if cancelled.load(Ordering::Relaxed) {
        bail!("cancelled");
    }
    interrupt::pause(Duration::from_millis(100));
    Ok(())
}

/// Minor version of the installed Go: 26 for Go 1.26.8.
fn minor(go: &Path) -> Option<u32> {
    let output = Command::new(go).arg("version").output().ok()?;
    version(&String::from_utf8_lossy(&output.stdout))
}

/// Minor version in the output of `go version`: 26 for `go version go1.26.8 linux/amd64`.
fn version(output: &str) -> Option<u32> {
    let number = output.split_whitespace().nth(2)?.strip_prefix("go1.")?;
    let end = number
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(number.len());
    number[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minor_version_of_go_is_its_second_number() {
        assert_eq!(version("go version go1.26.8 linux/amd64"), Some(26));
        assert_eq!(version("go version go1.21rc2 linux/arm64"), Some(21));
        assert_eq!(version("go version devel +abc linux/amd64"), None);
        assert_eq!(version(""), None);
    }

    #[test]
    fn a_cancelled_build_ends_its_child_processes() {
        let folder = std::env::temp_dir().join(format!("souk-golang-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let log = folder.join("log");
        let cancelled = AtomicBool::new(false);
        let result = std::thread::scope(|scope| {
            let build = scope.spawn(|| {
                let mut command = Command::new("sh");
                command.args(["-c", "sleep 600 & echo $!; wait"]);
                run(&mut command, &log, &cancelled)
            });
            let logged = || std::fs::read_to_string(&log).unwrap_or_default();
            assert!(interrupt::wait(Duration::from_secs(10), || Ok(logged().ends_with('\n'))).unwrap());
            let grandchild = logged().trim().parse().unwrap();
            assert!(process::exists(grandchild));
            cancelled.store(true, Ordering::Relaxed);
            let result = build.join().unwrap();
            assert!(interrupt::wait(Duration::from_secs(10), || Ok(!process::exists(grandchild))).unwrap());
            result
        });
        assert_eq!(result.unwrap_err().to_string(), "cancelled");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_failed_build_shows_the_end_of_its_output() {
        let log = std::env::temp_dir().join(format!("souk-golang-{}.log", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such module >&2; exit 1"]);
        let error = run(&mut command, &log, &AtomicBool::new(false)).unwrap_err();
        assert!(error.to_string().ends_with("no such module"), "{error}");
        std::fs::remove_file(log).unwrap();
    }
}
