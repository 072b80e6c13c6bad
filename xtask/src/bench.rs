//! The auditor and the bench: programs that run to their end beside the system, with their exit code as ours.

use std::{
    path::Path,
    process::{Command, ExitStatus},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    cargo::{self, Profile},
    interrupt,
    stack::{Mode, Stack, services, status},
    system::ports,
};

/// The invariants, by the program that the system runs.
pub(crate) fn audit(stack: &mut Stack, arguments: &[String]) -> Result<()> {
    status::check(stack)?;
    exit_unless_good(services::audit(stack, arguments)?);
    Ok(())
}

/// The bench of the crate `e2e`, which is told what runs where.
pub(crate) fn bench(stack: &mut Stack, arguments: &[String]) -> Result<()> {
    match arguments
        .split_first()
        .map(|(what, others)| (what.as_str(), others))
    {
        Some(("tracing", others)) => return tracing(others),
        Some(("spans", [])) => {
            return cargo::run(&["bench", "--quiet", "--package", "telemetry", "--bench", "spans"]);
        }
        _ => {}
    }
    let status = serde_json::to_string(&status::of(stack)?)?;
    let program = Profile::Development.build()?.join("souk-bench");
    let result = Command::new(&program)
        .args(arguments)
        .env("SOUK_STATUS", status)
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    exit_unless_good(result);
    Ok(())
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
        // Another process, since the settings of tracing are those of the environment.
        let mut up = Command::new(std::env::current_exe()?);
        up.arg("--state").arg(&folder);
        up.args([
            "up",
            "--release",
            "--detach",
            "--gateway-port",
            &port()?.to_string(),
        ]);
        for quota in services::RATES {
            up.env(quota, "1000000000");
        }
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
