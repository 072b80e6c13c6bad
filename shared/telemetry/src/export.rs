//! The way of spans out of the process, over OTLP. A collector that is away costs the spans that were meant for it and
//! nothing else: the queue is bounded, the loss is counted, and the log tells of its beginning and its end once.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchSpanProcessor, Sampler, SdkTracerProvider, Span, SpanData, SpanExporter, SpanProcessor},
};

use crate::metrics::Counter;

/// Those that were lost are `recorded` without `sent`, beside what still waits: 2,048 at most, unless the standard
/// `OTEL_BSP_MAX_QUEUE_SIZE` says otherwise.
static SPANS: Counter = Counter::counter(
    "telemetry_spans",
    "Spans that were recorded, that a collector took, and that it did not take",
);

/// With an exporter if `OTEL_EXPORTER_OTLP_ENDPOINT` (or its traces variant) is set, and whether it has one. Without one,
/// spans still get ids, so logs, problems and `traceresponse` name a trace, but nothing is recorded.
pub(crate) fn provider(service: &'static str) -> (SdkTracerProvider, Option<String>) {
    let builder =
        SdkTracerProvider::builder().with_resource(Resource::builder().with_service_name(service).build());
    let nowhere = |why| {
        (
            SdkTracerProvider::builder()
                .with_sampler(Sampler::AlwaysOff)
                .build(),
            why,
        )
    };
    let wanted = [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ]
    .iter()
    .any(|key| std::env::var_os(key).is_some_and(|value| !value.is_empty()));
    if !wanted {
        return nowhere(None);
    }
    match Otlp::builder().with_http().build() {
        Ok(otlp) => {
            for outcome in ["recorded", "sent", "refused"] {
                SPANS.of([("outcome", outcome)]);
            }
            let exporter = Counting {
                otlp,
                is_away: AtomicBool::new(false),
            };
            let batches = Recorded(BatchSpanProcessor::builder(exporter).build());
            (builder.with_span_processor(batches).build(), None)
        }
        Err(error) => nowhere(Some(error.to_string())),
    }
}

/// Counts what comes to the queue.
#[derive(Debug)]
struct Recorded(BatchSpanProcessor);

impl SpanProcessor for Recorded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        SPANS.of([("outcome", "recorded")]).inc();
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// Counts what leaves it.
#[derive(Debug)]
struct Counting {
    otlp: Otlp,
    is_away: AtomicBool,
}

impl SpanExporter for Counting {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len() as u64;
        let result = self.otlp.export(batch).await;
        let outcome = if result.is_ok() { "sent" } else { "refused" };
        SPANS.of([("outcome", outcome)]).inc_by(count);
        let was_away = self.is_away.swap(result.is_err(), Ordering::Relaxed);
        match &result {
            Err(error) if !was_away => {
                tracing::warn!(%error, "traces are lost: the collector does not take them");
            }
            Ok(()) if was_away => tracing::info!("the collector takes traces again"),
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}
