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
    if let Some(("tracing", others)) = arguments
        .split_first()
        .map(|(what, others)| (what.as_str(), others))
    {
        return tracing(others);
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

/// Systems that differ in their tracing only: the share of traces that is recorded, and whether a collector takes them.
/// The second is the first once more, and shows how much of a difference is noise.
const TRACED: [(&str, Option<(&str, bool)>); 6] = [
    ("off", None),
    ("off-again", None),
    ("1-percent", Some(("0.01", true))),
    ("100-percent", Some(("1", true))),
    ("1-percent-away", Some(("0.01", false))),
    ("100-percent-away", Some(("1", false))),
];

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
        if let Some((share, is_taken)) = tracing {
            let to = if is_taken { collector } else { nobody };
            up.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{to}"));
            up.env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
            up.env("OTEL_TRACES_SAMPLER_ARG", share);
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
