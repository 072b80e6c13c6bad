//! A private Jaeger 2: takes traces over OTLP/HTTP and keeps the newest in memory.

use std::{net::TcpStream, time::Duration};

use anyhow::Result;

use super::{Extra, Stack, reachable_program};
use crate::{system::golang::JAEGER, web};

/// Where Compose has its pages, too.
pub(super) const USUAL_PORT: u16 = 16686;
/// A checkout's trace has some two hundred spans; Jaeger's own default of 100,000 traces would fill the machine.
const MOST_TRACES: u32 = 5_000;

pub(super) fn start(stack: &mut Stack) -> Result<()> {
    let file = reachable_program(stack, &JAEGER)?;
    let url = Extra::Jaeger.url(stack)?.unwrap_or_default();
    let (otlp, grpc) = (otlp_port(stack)?, stack.state.port("jaeger-grpc")?);
    stack.save()?;
    let settings = settings(url.trim_start_matches("http://"), otlp, grpc);
    let settings = stack.settings("jaeger", "jaeger.yml", &settings)?;
    let mut program = stack.program(&file, &["--config", &settings.to_string_lossy()]);
    program.reads = vec![settings];
    let ready = format!("{url}/api/services");
    stack.ensure("jaeger", &program, Duration::from_secs(30), |_| {
        web::is_ok(&ready) && TcpStream::connect(("127.0.0.1", otlp)).is_ok()
    })
}

pub(super) fn otlp_port(stack: &mut Stack) -> Result<u16> {
    stack.state.port("jaeger-otlp")
}

/// Nothing but what Souk uses: each further receiver would listen on a port that somebody else may have.
fn settings(pages: &str, otlp: u16, grpc: u16) -> String {
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
      memory: {{memory: {{max_traces: {MOST_TRACES}}}}}
  jaeger_query:
    storage: {{traces: memory}}
    http: {{endpoint: \"{pages}\"}}
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
