//! The auditor and the bench: programs that run to their end beside the system, with their exit code as ours.

use std::{
    path::Path,
    process::{Command, ExitStatus},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    cargo::{self, Profile},
    interrupt,
    stack::{Mode, Stack, postgres, services, status},
    system::ports,
};

/// The invariants, by the program that the system runs.
pub(crate) fn audit(stack: &mut Stack, arguments: &[String]) -> Result<()> {
    status::check(stack)?;
    exit_unless_good(services::audit(stack, arguments)?);
    Ok(())
}

/// Runs a bench of the crate `e2e` on a system of its own, or on the one at `--url`.
pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    let (what, others) = arguments
        .split_first()
        .map_or(("", &[][..]), |(what, others)| (what.as_str(), others));
    match what {
        "checkout" if !others.iter().any(|argument| is_elsewhere(argument)) => checkout(others),
        "tracing" => tracing(others),
        "spans" => cargo::run(&["bench", "--quiet", "--package", "telemetry", "--bench", "spans"]),
        _ => {
            let program = Profile::Release.build()?.join("souk-bench");
            let result = Command::new(&program).args(arguments).status();
            exit_unless_good(result.with_context(|| format!("cannot run {}", program.display()))?);
            Ok(())
        }
    }
}

/// Whether the argument says that the system to be measured runs elsewhere, or asks for the bench's help.
fn is_elsewhere(argument: &str) -> bool {
    argument == "--url" || argument.starts_with("--url=") || argument == "--help" || argument == "-h"
}

/// Brings up a system of its own from release builds, has it measured, and deletes it with its products and accounts.
fn checkout(arguments: &[String]) -> Result<()> {
    interrupt::listen()?;
    let binaries = Profile::Release.build()?;
    let folder = cargo::workspace().join("target/souk-bench/checkout");
    let result = measure_checkout(&binaries, &folder, arguments);
    let mut stack = Stack::open(&folder, Mode::Demo)?;
    stack.down()?;
    stack.delete()?;
    exit_unless_good(result?);
    Ok(())
}

fn measure_checkout(binaries: &Path, folder: &Path, arguments: &[String]) -> Result<ExitStatus> {
    ensure!(up(folder)?.status()?.success(), "the system did not come up");
    let mut stack = Stack::open(folder, Mode::Demo)?;
    Command::new(binaries.join("souk-bench"))
        .arg("checkout")
        .args(arguments)
        .env("SOUK_STATUS", serde_json::to_string(&status::of(&mut stack)?)?)
        .env("SOUK_BENCH_POSTGRES", postgres::superuser_url(&mut stack)?)
        .status()
        .context("cannot run the bench")
}

/// The command that brings a system up from release builds, without quotas, by a process of its own: its settings are those
/// of the environment.
fn up(folder: &Path) -> Result<Command> {
    let port = ports::pick(&std::collections::BTreeMap::new())?;
    let mut up = Command::new(std::env::current_exe()?);
    up.arg("--state").arg(folder);
    up.args(["up", "--release", "--detach", "--gateway-port", &port.to_string()]);
    for quota in services::RATES {
        up.env(quota, "1000000000");
    }
    Ok(up)
}

/// Systems that differ in their tracing only, by the standard variables that say so. The second is the first once more,
/// and shows how much of a difference is noise.
const TRACED: [(&str, Tracing); 6] = [
    ("off", Tracing::Off),
    ("off-again", Tracing::Off),
    ("disabled", Tracing::Disabled),
    (
        "1-percent",
        Tracing::Recorded {
            share: "0.01",
            is_taken: true,
        },
    ),
    (
        "100-percent",
        Tracing::Recorded {
            share: "1",
            is_taken: true,
        },
    ),
    (
        "100-percent-away",
        Tracing::Recorded {
            share: "1",
            is_taken: false,
        },
    ),
];

/// What a system does about traces.
enum Tracing {
    /// No span has even an id.
    Disabled,
    /// Requests have trace ids, and no span is recorded.
    Off,
    /// That share of the traces is recorded, unless the collector takes none.
    Recorded { share: &'static str, is_taken: bool },
}

/// Brings up systems of its own, has them measured by turns, and deletes them.
fn tracing(arguments: &[String]) -> Result<()> {
    interrupt::listen()?;
    let binaries = Profile::Release.build()?;
    let home = cargo::workspace().join("target/souk-bench");
    let result = measure_tracing(&binaries, &home, arguments);
    for (name, _) in TRACED {
        let mut stack = Stack::open(&home.join(name), Mode::Demo)?;
        stack.down()?;
        stack.delete()?;
    }
    exit_unless_good(result?);
    Ok(())
}

fn measure_tracing(binaries: &Path, home: &Path, arguments: &[String]) -> Result<ExitStatus> {
    let port = || ports::pick(&std::collections::BTreeMap::new());
    let (collector, nobody) = (port()?, port()?);
    let mut bench = Command::new(binaries.join("souk-bench"));
    bench.args(["tracing", "--collector", &format!("127.0.0.1:{collector}")]);
    for (name, tracing) in TRACED {
        let folder = home.join(name);
        interrupt::check()?;
        let mut up = up(&folder)?;
        match tracing {
            Tracing::Off => {}
            Tracing::Disabled => {
                up.env("OTEL_SDK_DISABLED", "true");
            }
            Tracing::Recorded { share, is_taken } => {
                let to = if is_taken { collector } else { nobody };
                up.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{to}"));
                up.env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
                up.env("OTEL_TRACES_SAMPLER_ARG", share);
            }
        }
        ensure!(up.status()?.success(), "the system `{name}` did not come up");
        let status = serde_json::to_string(&status::of(&mut Stack::open(&folder, Mode::Demo)?)?)?;
        bench.args(["--system", &format!("{name}={status}")]);
    }
    bench.args(arguments).status().context("cannot run the bench")
}

fn exit_unless_good(result: ExitStatus) {
    if !result.success() {
        std::process::exit(result.code().unwrap_or(1));
    }
}
