//! Runs the auditor and the benches against a system, and exits with their exit code.

use std::{
    path::Path,
    process::{Command, ExitStatus},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    bench_gateway,
    cargo::{self, Profile},
    interrupt,
    stack::{Mode, Stack, extras::Extra, postgres, services, status},
    system::ports,
    test,
};

/// Checks the invariants with the auditor of the running system.
pub(crate) fn audit(stack: &mut Stack, arguments: &[String]) -> Result<()> {
    status::check(stack)?;
    exit_on_failure(services::audit(stack, arguments)?);
    Ok(())
}

/// What `cargo xtask bench` measures. The program `souk-bench` defines the options, also `--help`.
#[derive(Debug, PartialEq, Eq, clap::Subcommand)]
pub(crate) enum Benchmark {
    /// Confirmed orders per second and their latency, on a system of its own or the one at `--url`.
    #[command(disable_help_flag = true)]
    Checkout {
        /// Options for the bench.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// The cost of tracing, on several systems that differ only in their settings.
    #[command(disable_help_flag = true)]
    Tracing {
        /// Options for the bench.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Throughput and latency at 1 to 16 machines by a simulation, which needs no system.
    #[command(disable_help_flag = true)]
    Scaling {
        /// Options for the simulation.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// The cost of the spans of one process.
    Spans,
    /// Rows per second that one, two and three relays publish from one outbox, and from one table of events.
    Relays,
    /// The gateway against nginx and HAProxy.
    Gateway(bench_gateway::Options),
}

/// Runs a bench on systems that it starts, or on the system at `--url`.
pub(crate) fn bench(what: &Benchmark) -> Result<()> {
    let (name, arguments) = match what {
        Benchmark::Spans => {
            return cargo::run(&["bench", "--quiet", "--package", "telemetry", "--bench", "spans"]);
        }
        Benchmark::Relays => return relays(),
        Benchmark::Gateway(options) => return bench_gateway::run(options),
        Benchmark::Checkout { args } => ("checkout", args),
        Benchmark::Tracing { args } => ("tracing", args),
        Benchmark::Scaling { args } => ("scaling", args),
    };
    let is_given = |option: &str| {
        let mut names = arguments.iter().map(|argument| argument.split('=').next());
        names.any(|name| name == Some(option))
    };
    let profile = if is_given("--help") || is_given("-h") {
        // Its help is the same, and ready sooner.
        Profile::Development
    } else if name == "scaling" {
        // A simulation measures nothing, so its result does not depend on the build.
        Profile::Development
    } else if name == "tracing" {
        return tracing(arguments);
    } else if !is_given("--url") {
        return checkout(arguments);
    } else {
        Profile::Release
    };
    let mut program = Command::new(profile.build()?.join("souk-bench"));
    let result = program.arg(name).args(arguments).status();
    exit_on_failure(result.context("cannot run the bench")?);
    Ok(())
}

/// Starts a system from release builds, measures it, and deletes it with its products and accounts.
fn checkout(arguments: &[String]) -> Result<()> {
    interrupt::listen()?;
    let binaries = Profile::Release.build()?;
    let folder = cargo::workspace().join("target/souk-bench/checkout");
    let result = measure_checkout(&binaries, &folder, arguments);
    let mut stack = Stack::open(&folder, Mode::Demo)?;
    stack.down()?;
    stack.delete()?;
    exit_on_failure(result?);
    Ok(())
}

fn measure_checkout(binaries: &Path, folder: &Path, arguments: &[String]) -> Result<ExitStatus> {
    ensure!(up(folder)?.status()?.success(), "the system did not start");
    let mut stack = Stack::open(folder, Mode::Demo)?;
    Command::new(binaries.join("souk-bench"))
        .arg("checkout")
        .args(arguments)
        .env("SOUK_STATUS", serde_json::to_string(&status::of(&mut stack)?)?)
        .env("SOUK_BENCH_POSTGRES", postgres::superuser_url(&mut stack)?)
        .status()
        .context("cannot run the bench")
}

/// Starts servers that sync their data like those of a demo, measures the relays against them, and deletes them.
fn relays() -> Result<()> {
    interrupt::listen()?;
    let folder = cargo::workspace().join("target/souk-bench/relays");
    let mut stack = Stack::open(&folder, Mode::Demo)?;
    let result = measure_relays(&mut stack);
    stack.down()?;
    stack.delete()?;
    result
}

fn measure_relays(stack: &mut Stack) -> Result<()> {
    let lock = stack.lock()?;
    stack.state.extras = [Extra::Kafka].into();
    stack.start_servers()?;
    drop(lock);
    for package in ["messaging", "events"] {
        let mut bench = cargo::cargo();
        bench.args(["bench", "--quiet", "--package", package, "--bench", "relays"]);
        bench.envs(test::environment(stack)?);
        ensure!(bench.status()?.success(), "the bench of {package} failed");
    }
    Ok(())
}

/// Command that starts a system from release builds, without quotas. It is a separate process because services get their
/// settings from the environment of `up`.
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

/// Systems that differ only in the standard variables for tracing. The second is identical to the first, and shows how
/// large differences are by chance.
const TRACED_SYSTEMS: [(&str, Tracing); 6] = [
    ("off", Tracing::Off),
    ("off-again", Tracing::Off),
    ("disabled", Tracing::Disabled),
    (
        "1-percent",
        Tracing::Recorded {
            share: "0.01",
            is_collector_up: true,
        },
    ),
    (
        "100-percent",
        Tracing::Recorded {
            share: "1",
            is_collector_up: true,
        },
    ),
    (
        "100-percent-away",
        Tracing::Recorded {
            share: "1",
            is_collector_up: false,
        },
    ),
];

/// How a system traces requests.
enum Tracing {
    /// Requests have no trace ids.
    Disabled,
    /// Requests have trace ids, but no span is recorded.
    Off,
    /// Records this share of the traces, and sends them to a collector that may be unavailable.
    Recorded {
        share: &'static str,
        is_collector_up: bool,
    },
}

/// Starts the systems, measures them in turns, and deletes them.
fn tracing(arguments: &[String]) -> Result<()> {
    interrupt::listen()?;
    let binaries = Profile::Release.build()?;
    let home = cargo::workspace().join("target/souk-bench");
    let result = measure_tracing(&binaries, &home, arguments);
    for (name, _) in TRACED_SYSTEMS {
        let mut stack = Stack::open(&home.join(name), Mode::Demo)?;
        stack.down()?;
        stack.delete()?;
    }
    exit_on_failure(result?);
    Ok(())
}

fn measure_tracing(binaries: &Path, home: &Path, arguments: &[String]) -> Result<ExitStatus> {
    let port = || ports::pick(&std::collections::BTreeMap::new());
    let (collector, unused) = (port()?, port()?);
    let mut bench = Command::new(binaries.join("souk-bench"));
    bench.args(["tracing", "--collector", &format!("127.0.0.1:{collector}")]);
    for (name, tracing) in TRACED_SYSTEMS {
        let folder = home.join(name);
        interrupt::check()?;
        let mut up = up(&folder)?;
        match tracing {
            Tracing::Off => {}
            Tracing::Disabled => {
                up.env("OTEL_SDK_DISABLED", "true");
            }
            Tracing::Recorded {
                share,
                is_collector_up,
            } => {
                let port = if is_collector_up { collector } else { unused };
                up.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}"));
                up.env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
                up.env("OTEL_TRACES_SAMPLER_ARG", share);
            }
        }
        ensure!(up.status()?.success(), "the system `{name}` did not start");
        let status = serde_json::to_string(&status::of(&mut Stack::open(&folder, Mode::Demo)?)?)?;
        bench.args(["--system", &format!("{name}={status}")]);
    }
    bench.args(arguments).status().context("cannot run the bench")
}

fn exit_on_failure(result: ExitStatus) {
    if !result.success() {
        std::process::exit(result.code().unwrap_or(1));
    }
}
