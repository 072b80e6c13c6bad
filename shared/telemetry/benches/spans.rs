//! What the spans of a request cost the process that makes them, to a tenth of a microsecond: two systems that are the same
//! differ by more than that, so `cargo xtask bench tracing` cannot tell. The request has no network: a server span, a call
//! of another service within it, and the line that is logged. Each setting is a process of its own, since a process has
//! one telemetry.

use std::{
    convert::Infallible,
    env,
    future::ready,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    body::Body,
    http::{Request, Response},
    routing::{get, post},
};
use telemetry::LogFormat;
use tokio::{net::TcpListener, task::spawn_blocking, time::sleep};
use tower::{Service as _, ServiceExt as _, service_fn};

const ROUNDS: usize = 9;
const REQUESTS: u32 = 100_000;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SHARE: &str = "OTEL_TRACES_SAMPLER_ARG";
/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:9";
/// Stands for the collector of the bench.
const TAKEN: &str = "taken";

/// Settings, by the standard variables. Off comes twice, and shows how much of a difference is noise.
const SETTINGS: [(&str, &[(&str, &str)]); 6] = [
    ("disabled", &[("OTEL_SDK_DISABLED", "true")]),
    ("off", &[]),
    ("off, once more", &[]),
    ("100 %, the collector away", &[(ENDPOINT, NOBODY)]),
    (
        "1 %",
        &[(ENDPOINT, TAKEN), (SAMPLER, "traceidratio"), (SHARE, "0.01")],
    ),
    ("100 %", &[(ENDPOINT, TAKEN)]),
];

/// Set for a process that measures itself.
const OWN: &str = "SOUK_BENCH_OWN";

#[tokio::main]
async fn main() -> Result<()> {
    if env::var_os(OWN).is_some() {
        return measure_own().await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let collector = format!("http://{}", listener.local_addr()?);
    let takes = Router::new().route("/v1/traces", post(async || ()));
    tokio::spawn(async move { axum::serve(listener, takes).await });

    let mut measured = SETTINGS.map(|_| vec![]);
    for round in 1..=ROUNDS {
        for (values, (_, setting)) in measured.iter_mut().zip(SETTINGS) {
            let collector = collector.clone();
            values.push(spawn_blocking(move || measure(setting, &collector)).await??);
        }
        eprint!("\rround {round} of {ROUNDS}");
    }
    println!("\n{:28}{:>18}", "", "µs of CPU each");
    for (mut values, (name, _)) in measured.into_iter().zip(SETTINGS) {
        values.sort_by(f64::total_cmp);
        println!("{name:28}{:18.2}", values[ROUNDS / 2] * 1e6);
    }
    Ok(())
}

/// CPU seconds a request of a process with that setting.
fn measure(setting: &[(&str, &str)], collector: &str) -> Result<f64> {
    let mut process = Command::new(env::current_exe()?);
    for (key, _) in env::vars_os().filter(|(key, _)| key.to_string_lossy().starts_with("OTEL_")) {
        process.env_remove(key);
    }
    // As often as `cargo xtask up` has it.
    process.env("OTEL_BSP_SCHEDULE_DELAY", "500").env(OWN, "");
    for (key, value) in setting {
        process.env(key, if *value == TAKEN { collector } else { value });
    }
    let output = process
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .context("cannot run the bench again")?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{text}");
    text.trim().parse().with_context(|| text.to_string())
}

async fn measure_own() -> Result<()> {
    let telemetry = telemetry::init("bench", LogFormat::Json)?;
    let app = telemetry::http::layer(Router::new().route("/", get(answer)));
    send(&app, REQUESTS / 10).await?;
    let is_for_nobody = env::var_os(ENDPOINT).is_some_and(|to| to == NOBODY);
    while is_for_nobody && !telemetry::metrics::encode().contains("telemetry_collector_away{} 1") {
        sleep(Duration::from_millis(50)).await;
    }
    let before = cpu_seconds()?;
    send(&app, REQUESTS).await?;
    let took = cpu_seconds()? - before;
    drop(telemetry);
    eprintln!("{}", took / f64::from(REQUESTS));
    Ok(())
}

async fn send(app: &Router, requests: u32) -> Result<()> {
    for _ in 0..requests {
        let answer = app.clone().oneshot(Request::new(Body::empty())).await?;
        ensure!(answer.status().is_success(), "{}", answer.status());
    }
    Ok(())
}

/// Calls a service that answers at once.
async fn answer() -> &'static str {
    let service = service_fn(|_| ready(Ok::<_, Infallible>(Response::new(()))));
    let mut request = Request::new(());
    *request.uri_mut() = axum::http::Uri::from_static("/souk.bench.v1.Bench/Answer");
    let Ok(_) = telemetry::grpc::client(service).call(request).await;
    "answered"
}

/// What the threads of this process have run: the first field of their `schedstat`, in nanoseconds.
fn cpu_seconds() -> Result<f64> {
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        // A thread may end meanwhile.
        let stat = std::fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        nanoseconds += stat.split_whitespace().next().map_or(Ok(0), str::parse::<u64>)?;
    }
    Ok(Duration::from_nanos(nanoseconds).as_secs_f64())
}
