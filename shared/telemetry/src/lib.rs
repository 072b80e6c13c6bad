//! Logs and traces of every process: structured logs, one W3C trace context over HTTP, gRPC and AMQP, and OTLP export
//! when the standard variable asks for it; and the metrics that all share. Nothing here may fail a request or see
//! personal data.

mod away;
mod context;
pub mod db;
mod export;
pub mod grpc;
pub mod http;
mod log;
pub mod metrics;
mod panic;
mod process;
mod sampling;

use std::{io::IsTerminal, time::Duration};

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde::Deserialize;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, Targets},
    fmt::format::JsonFields,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use export::Export;

pub use context::{TraceContext, current_trace_id, name_span};

/// The form of the log on standard output, `SOUK_LOG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line, with `trace_id` and `span_id`.
    Json,
    /// For a person at a terminal.
    Pretty,
}

impl Default for LogFormat {
    /// Readable on a terminal, JSON elsewhere.
    fn default() -> Self {
        if std::io::stdout().is_terminal() {
            Self::Pretty
        } else {
            Self::Json
        }
    }
}

/// Keeps the telemetry running; dropping it sends what is left.
#[derive(Debug)]
#[must_use = "dropping it stops the export"]
pub struct Guard {
    provider: SdkTracerProvider,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Nothing can be done about a collector that is away when the process ends.
        let _ = self.provider.shutdown_with_timeout(Duration::from_secs(2));
    }
}

/// Starts logging and tracing for the process. `RUST_LOG` filters the log (default `info`), never the spans: the trace
/// of a request exists whatever is logged. Sampling and export follow the standard `OTEL_*` variables; a collector that
/// cannot be used is no reason not to start.
pub fn init(service: &'static str, format: LogFormat) -> anyhow::Result<Guard> {
    let Export {
        provider,
        sampling,
        unusable,
        misread,
    } = export::export(service);
    let spans = (!export::is_disabled()).then(|| sampling::spans(provider.tracer("souk"), sampling));
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env()
        .context("RUST_LOG is not a list of directives such as `info,sqlx=warn`")?
        // It would repeat every few seconds what the exporter says once.
        .add_directive("opentelemetry=off".parse()?);
    let level = filter.max_level_hint().unwrap_or(LevelFilter::TRACE);
    let statements = db::Statements.with_filter(
        Targets::new()
            .with_target(db::SQLX_QUERY, LevelFilter::DEBUG)
            .with_target(db::SQLX_ACQUIRE, LevelFilter::DEBUG),
    );
    let lines = match format {
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .fmt_fields(JsonFields::new())
            .event_format(log::Json { service })
            .with_filter(filter)
            .boxed(),
        LogFormat::Pretty => tracing_subscriber::fmt::layer()
            .with_target(true)
            .with_filter(filter)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(spans)
        .with(statements)
        .with(lines)
        .try_init()
        .context("telemetry is already started")?;
    // Libraries that speak through `log` need not speak of what only `statements` wants.
    ::log::set_max_level(level.to_string().parse().unwrap_or(::log::LevelFilter::Info));
    if format == LogFormat::Json {
        panic::log();
    }
    process::register();
    if let Some(setting) = misread {
        tracing::warn!(setting, "the sampler is not understood: it leaves no trace out");
    }
    match unusable {
        None => db::trace_with(provider.tracer("souk")),
        Some(error) => tracing::error!(
            error,
            "traces are not exported; OTEL_EXPORTER_OTLP_ENDPOINT must be a URL such as http://127.0.0.1:4318"
        ),
    }
    Ok(Guard { provider })
}
