//! Programs that no system's packages have, built with Go from the modules that their makers publish. It takes minutes,
//! so it is done at the lowest priority and can be given up at any time.

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

/// The oldest Go that fetches a newer one by itself where a module asks for it.
const GO_AT_LEAST: u32 = 21;

/// One of the programs.
#[derive(Debug)]
pub(crate) struct Tool {
    /// Its file, on PATH too.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    module: &'static str,
    version: &'static str,
    package: &'static str,
    /// Whether npm builds its pages first.
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

/// Jaeger 2.13, whose module goes on counting from Jaeger 1. Its pages are in no module: see deploy/jaeger.
pub(crate) const JAEGER: Tool = Tool {
    name: "jaeger",
    title: "Jaeger",
    module: "github.com/jaegertracing/jaeger",
    version: "v1.76.0",
    package: "./cmd/jaeger",
    has_pages: false,
};

/// In the module's own folder, with its own list of dependencies; modules are read-only, hence the copy. Under another
/// name until it is complete.
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
    /// The program that was built.
    pub(crate) fn built(&self, tools: &Path) -> Option<PathBuf> {
        Some(self.target(tools)).filter(|file| is_executable(file))
    }

    fn target(&self, tools: &Path) -> PathBuf {
        tools.join(format!("{}-{}", self.name, self.version))
    }

    /// Says what to do where it cannot be built.
    pub(crate) fn check(&self) -> Result<()> {
        let problem = match find("go").map(|go| minor(&go)) {
            None => "there is no Go to build it with".to_owned(),
            Some(Some(minor)) if minor < GO_AT_LEAST => {
                format!("the Go that would build it is 1.{minor}, which is too old")
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

/// Runs it until it ends or is given up, and then ends all that it has started.
fn run(command: &mut Command, log: &Path, cancelled: &AtomicBool) -> Result<()> {
    let output = OpenOptions::new().create(true).append(true).open(log)?;
    let from = output.metadata()?.len();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        // A group of its own: Ctrl-C is for xtask, which then ends the group.
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
            // Go takes its temporary files away at this one; then whoever is left goes at once.
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
        bail!("given up");
    }
    interrupt::pause(Duration::from_millis(100));
    Ok(())
}

/// 26 of Go 1.26.8.
fn minor(go: &Path) -> Option<u32> {
    let output = Command::new(go).arg("version").output().ok()?;
    version(&String::from_utf8_lossy(&output.stdout))
}

/// 26 of `go version go1.26.8 linux/amd64`.
fn version(told: &str) -> Option<u32> {
    let number = told.split_whitespace().nth(2)?.strip_prefix("go1.")?;
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
    fn what_is_given_up_ends_with_all_that_it_has_started() {
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
            let told = || std::fs::read_to_string(&log).unwrap_or_default();
            assert!(interrupt::wait(Duration::from_secs(10), || Ok(told().ends_with('\n'))).unwrap());
            let grandchild = told().trim().parse().unwrap();
            assert!(process::exists(grandchild));
            cancelled.store(true, Ordering::Relaxed);
            let result = build.join().unwrap();
            assert!(interrupt::wait(Duration::from_secs(10), || Ok(!process::exists(grandchild))).unwrap());
            result
        });
        assert_eq!(result.unwrap_err().to_string(), "given up");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_build_that_fails_shows_the_end_of_what_it_said() {
        let log = std::env::temp_dir().join(format!("souk-golang-{}.log", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such module >&2; exit 1"]);
        let error = run(&mut command, &log, &AtomicBool::new(false)).unwrap_err();
        assert!(error.to_string().ends_with("no such module"), "{error}");
        std::fs::remove_file(log).unwrap();
    }
}
