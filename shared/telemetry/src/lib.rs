//! Logs, traces and metrics of every process: structured logs, a W3C trace context that is propagated over HTTP, gRPC and
//! AMQP, OTLP export if the standard variables configure it, and the shared metrics. Nothing in this crate may fail a
//! request or record personal data.

mod collector;
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

use std::{io::IsTerminal, sync::OnceLock, time::Duration};

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde::Deserialize;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use export::Export;

pub use context::{TraceContext, current_trace_id, is_recorded, name_span};

/// Name of the service, since [`init`].
static SERVICE: OnceLock<&str> = OnceLock::new();

/// Returns the name of the service that [`init`] was given. `None` before that.
#[must_use]
pub fn service() -> Option<&'static str> {
    SERVICE.get().copied()
}

/// Format of the log on standard output, set by `SOUK_LOG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object per line, with `trace_id` and `span_id`.
    Json,
    /// Readable lines for a terminal.
    Pretty,
}

impl Default for LogFormat {
    /// `Pretty` if standard output is a terminal, otherwise `Json`.
    fn default() -> Self {
        if std::io::stdout().is_terminal() {
            Self::Pretty
        } else {
            Self::Json
        }
    }
}

/// Keeps telemetry running. Dropping it exports the remaining spans, for at most 2 seconds, and writes the remaining log
/// lines.
#[derive(Debug)]
#[must_use = "dropping it stops the export"]
pub struct Guard {
    provider: SdkTracerProvider,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // If the collector is unavailable, the remaining spans are lost.
        let _ = self.provider.shutdown_with_timeout(Duration::from_secs(2));
        log::Stdout::flush();
    }
}

/// Starts logging and tracing for the process. `RUST_LOG` filters the log (default `info`), but not the spans, so that
/// requests have trace ids at any log level. Sampling and export follow the standard `OTEL_*` variables.
///
/// Fails if `RUST_LOG` is invalid or telemetry was already started. An unusable collector is only logged.
pub fn init(service: &'static str, format: LogFormat) -> anyhow::Result<Guard> {
    let Export {
        provider,
        sampling,
        setup_error,
        invalid_setting,
    } = export::export(service);
    let spans = (!export::is_disabled()).then(|| sampling::spans(provider.tracer("souk"), sampling));
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env()
        .context("RUST_LOG is not a list of directives such as `info,sqlx=warn`")?
        // The SDK would log each failed export, while this crate logs an outage once.
        .add_directive("opentelemetry=off".parse()?);
    let level = filter.max_level_hint().unwrap_or(LevelFilter::TRACE);
    let statements = db::Statements.with_filter(
        Targets::new()
            .with_target(db::SQLX_QUERY, LevelFilter::DEBUG)
            .with_target(db::SQLX_ACQUIRE, LevelFilter::DEBUG),
    );
    let lines = match format {
        LogFormat::Json => log::Json {
            service,
            output: log::Stdout::start()?,
        }
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
    // Events of the `log` crate that only `statements` needs do not have to reach this level.
    ::log::set_max_level(level.to_string().parse().unwrap_or(::log::LevelFilter::Info));
    if format == LogFormat::Json {
        panic::log();
    }
    process::register();
    SERVICE.get_or_init(|| service);
    if let Some(setting) = invalid_setting {
        tracing::warn!(setting, "the sampler setting is invalid; all traces are recorded");
    }
    match setup_error {
        None => db::trace_with(provider.tracer("souk")),
        Some(error) => tracing::error!(
            error,
            "traces are not exported; OTEL_EXPORTER_OTLP_ENDPOINT must be a URL such as http://127.0.0.1:4318"
        ),
    }
    Ok(Guard { provider })
}
