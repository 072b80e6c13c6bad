//! Starts a private Jaeger 2, which receives traces over OTLP/HTTP and keeps the newest ones in memory.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};

use super::{Extra, Stack, quoted, reachable_program};
use crate::{
    cargo,
    system::{find, golang::JAEGER, ports},
    web,
};

/// Port of the web pages if it is free, the same as under Compose.
pub(super) const USUAL_PORT: u16 = 16686;
/// Number of traces in memory. The trace of a checkout takes about 0.2 MB, so Jaeger's default of 100,000 would exhaust
/// the machine.
const MAX_TRACES: u32 = 2_000;
/// Page that replaces Jaeger's own pages, which its Go module does not contain.
const PAGE: &str = "deploy/jaeger/index.html";

pub(super) fn start(stack: &mut Stack) -> Result<()> {
    let file = reachable_program(stack, &JAEGER)?;
    let url = Extra::Jaeger.url(stack)?.unwrap_or_default();
    let (otlp, grpc) = (otlp_port(stack)?, stack.state.port("jaeger-grpc")?);
    stack.save()?;
    let page = if find(JAEGER.name).is_none() {
        let page = std::fs::read_to_string(cargo::workspace().join(PAGE)).context(PAGE)?;
        Some(stack.settings("jaeger", "index.html", &page)?)
    } else {
        None
    };
    let settings = settings(url.trim_start_matches("http://"), otlp, grpc, page.as_deref());
    let settings = stack.settings("jaeger", "jaeger.yml", &settings)?;
    let mut program = stack.program(&file, &["--config", &settings.to_string_lossy()]);
    program.reads = page.into_iter().chain([settings]).collect();
    let ready = format!("{url}/api/services");
    stack.ensure("jaeger", &program, Duration::from_secs(30), |_| {
        web::is_ok(&ready) && ports::is_open(otlp)
    })
}

pub(super) fn otlp_port(stack: &mut Stack) -> Result<u16> {
    stack.state.port("jaeger-otlp")
}

/// The configuration file. It contains only the receiver that Souk uses, because others would listen on further ports.
fn settings(address: &str, otlp: u16, grpc: u16, page: Option<&Path>) -> String {
    let ui = page
        .and_then(Path::parent)
        .map(|folder| format!("\n    ui: {{assets_path: {}}}", quoted(folder)))
        .unwrap_or_default();
    format!(
        "service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [jaeger_storage_exporter]}}
  telemetry:
    metrics: {{level: none}}
    logs: {{level: warn}}
extensions:
  jaeger_storage:
    backends:
      memory: {{memory: {{max_traces: {MAX_TRACES}}}}}
  jaeger_query:
    storage: {{traces: memory}}
    enable_tracing: false{ui}
    http: {{endpoint: \"{address}\"}}
    grpc: {{endpoint: \"127.0.0.1:{grpc}\"}}
receivers:
  otlp:
    protocols:
      http: {{endpoint: \"127.0.0.1:{otlp}\"}}
processors:
  batch: {{timeout: 1s}}
exporters:
  jaeger_storage_exporter: {{trace_storage: memory}}
"
    )
}
