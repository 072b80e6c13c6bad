//! Measures the CPU time that the spans of a request cost, with a resolution of 0.1 microseconds. `cargo xtask bench tracing`
//! cannot measure this, because two runs of the whole system differ by more. The request uses no network: it consists of a
//! server span, a call of another service within it, and a log line. Each setting runs in a separate process, because
//! telemetry can be started only once per process.

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
use rustix::time::{ClockId, clock_gettime};
use telemetry::LogFormat;
use tokio::{net::TcpListener, task::spawn_blocking, time::sleep};
use tower::{Service as _, ServiceExt as _, service_fn};

const ROUNDS: usize = 9;
const REQUESTS: u32 = 100_000;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SHARE: &str = "OTEL_TRACES_SAMPLER_ARG";
/// An endpoint without a collector.
const UNREACHABLE: &str = "http://127.0.0.1:9";
/// Placeholder for the endpoint of the benchmark's collector.
const COLLECTOR: &str = "collector";

/// The settings to compare, as standard variables. "off" occurs twice, which shows how large the noise is.
const SETTINGS: [(&str, &[(&str, &str)]); 7] = [
    ("disabled", &[("OTEL_SDK_DISABLED", "true")]),
    ("off", &[]),
    ("off, repeated", &[]),
    ("off, no log lines", &[("RUST_LOG", "warn")]),
    ("100 %, collector down", &[(ENDPOINT, UNREACHABLE)]),
    (
        "1 %",
        &[(ENDPOINT, COLLECTOR), (SAMPLER, "traceidratio"), (SHARE, "0.01")],
    ),
    ("100 %", &[(ENDPOINT, COLLECTOR)]),
];

/// Set in a child process, which measures itself.
const CHILD: &str = "SOUK_BENCH_OWN";

#[tokio::main]
async fn main() -> Result<()> {
    if env::var_os(CHILD).is_some() {
        return measure_self().await;
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

/// Runs a process with this setting, and returns the CPU seconds per request.
fn measure(setting: &[(&str, &str)], collector: &str) -> Result<f64> {
    let mut process = Command::new(env::current_exe()?);
    for (key, _) in env::vars_os().filter(|(key, _)| key.to_string_lossy().starts_with("OTEL_")) {
        process.env_remove(key);
    }
    // The same value as in `cargo xtask up`.
    process.env("OTEL_BSP_SCHEDULE_DELAY", "500").env(CHILD, "");
    for (key, value) in setting {
        process.env(key, if *value == COLLECTOR { collector } else { value });
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

async fn measure_self() -> Result<()> {
    let telemetry = telemetry::init("bench", LogFormat::Json)?;
    let app = telemetry::http::layer(Router::new().route("/", get(answer)));
    send(&app, REQUESTS / 10).await?;
    let is_unreachable = env::var_os(ENDPOINT).is_some_and(|to| to == UNREACHABLE);
    while is_unreachable && !telemetry::metrics::encode().contains("telemetry_collector_away{} 1") {
        sleep(Duration::from_millis(50)).await;
    }
    let before = cpu_seconds();
    send(&app, REQUESTS).await?;
    let took = cpu_seconds() - before;
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

/// Handles a request by a call of a service that responds at once.
async fn answer() -> &'static str {
    let service = service_fn(|_| ready(Ok::<_, Infallible>(Response::new(()))));
    let mut request = Request::new(());
    *request.uri_mut() = axum::http::Uri::from_static("/souk.bench.v1.Bench/Answer");
    let Ok(_) = telemetry::grpc::client(service).call(request).await;
    "answered"
}

/// Returns the CPU time of this process.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default().as_secs_f64()
}
