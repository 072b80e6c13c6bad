//! Exports spans over OTLP. An unavailable collector affects nothing but the spans themselves: the queue is bounded, lost
//! spans are counted, start and end of the outage are logged once, and in between no spans are recorded.

use std::{sync::Arc, time::Duration};

use opentelemetry::Context;
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        BatchSpanProcessor, Config, Sampler, SdkTracerProvider, Span, SpanData, SpanExporter, SpanProcessor,
    },
};

use crate::{
    collector::Collector,
    metrics::Counter,
    sampling::{Ids, Sampling},
};

/// Number of spans by outcome. Spans that are `recorded` but neither `sent` nor in the queue are lost. The queue has at most
/// 2,048 spans, unless the standard variable `OTEL_BSP_MAX_QUEUE_SIZE` is set.
static SPANS: Counter = Counter::counter(
    "telemetry_spans",
    "Spans that were recorded, accepted by the collector, and not accepted by it",
);

/// Interval at which an unavailable collector is checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Whether `OTEL_SDK_DISABLED=true` is set. Spans then have no ids, and logs and responses contain no trace ids.
pub(crate) fn is_disabled() -> bool {
    setting("OTEL_SDK_DISABLED").eq_ignore_ascii_case("true")
}

/// The tracer provider with its sampling settings, and what is wrong with the configuration.
pub(crate) struct Export {
    pub(crate) provider: SdkTracerProvider,
    /// Decides which spans are created.
    pub(crate) sampling: Sampling,
    /// The reason why spans are not exported although an endpoint is configured.
    pub(crate) setup_error: Option<String>,
    /// The sampler variable with an invalid value, and the value.
    pub(crate) invalid_setting: Option<String>,
}

/// Creates an exporter if `OTEL_EXPORTER_OTLP_ENDPOINT` (or its traces variant) is set. Without an exporter nothing is
/// recorded, but requests still have trace ids in logs, problems and the `traceresponse` header.
pub(crate) fn export(service: &'static str) -> Export {
    let without_export = |setup_error| Export {
        provider: SdkTracerProvider::builder().build(),
        sampling: Sampling {
            sampler: Box::new(Sampler::AlwaysOff),
            collector: Collector::default(),
        },
        setup_error,
        invalid_setting: None,
    };
    let is_configured = [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ]
    .iter()
    .any(|key| !setting(key).is_empty());
    if !is_configured || is_disabled() {
        return without_export(None);
    }
    match Otlp::builder().with_http().build() {
        Ok(otlp) => {
            for outcome in ["recorded", "sent", "refused"] {
                SPANS.of([("outcome", outcome)]);
            }
            let collector = Collector::default();
            let exporter = Counting {
                otlp: Arc::new(otlp),
                collector: collector.clone(),
            };
            let provider = SdkTracerProvider::builder()
                .with_resource(Resource::builder().with_service_name(service).build())
                // `sampling` has already decided: the provider receives only spans to be recorded.
                .with_sampler(Sampler::AlwaysOn)
                .with_id_generator(Ids::default())
                .with_span_processor(Recorded(BatchSpanProcessor::builder(exporter).build()))
                .build();
            Export {
                provider,
                sampling: Sampling {
                    // The sampler that the standard variables configure.
                    sampler: Config::default().sampler,
                    collector,
                },
                setup_error: None,
                invalid_setting: invalid_sampler_setting(
                    &setting("OTEL_TRACES_SAMPLER"),
                    &setting("OTEL_TRACES_SAMPLER_ARG"),
                ),
            }
        }
        Err(error) => without_export(Some(error.to_string())),
    }
}

fn setting(key: &str) -> String {
    std::env::var_os(key)
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Returns the sampler variable and value that the SDK does not understand, and for which it records all traces. The SDK
/// reports this only in its own log, which is turned off.
fn invalid_sampler_setting(sampler: &str, ratio: &str) -> Option<String> {
    match sampler {
        "" | "always_on" | "always_off" | "parentbased_always_on" | "parentbased_always_off" => None,
        "traceidratio" | "parentbased_traceidratio" => {
            let is_ratio = ratio.parse().is_ok_and(|ratio: f64| ratio <= 1.0);
            (!is_ratio).then(|| format!("OTEL_TRACES_SAMPLER_ARG={ratio}"))
        }
        _ => Some(format!("OTEL_TRACES_SAMPLER={sampler}")),
    }
}

/// Counts the spans that enter the queue.
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

/// Counts the spans that leave the queue, and checks an unavailable collector.
#[derive(Debug)]
struct Counting {
    otlp: Arc<Otlp>,
    collector: Collector,
}

impl Counting {
    /// Starts a thread that exports empty batches until the collector accepts one.
    fn start_recovery_checks(&self) -> std::io::Result<()> {
        let (otlp, collector) = (Arc::clone(&self.otlp), self.collector.clone());
        let check = move || {
            while collector.is_unavailable() {
                std::thread::park_timeout(CHECK_INTERVAL);
                // The client is blocking, as it is on the batch processor's thread.
                collector.record(&futures::executor::block_on(otlp.export(vec![])));
            }
        };
        std::thread::Builder::new()
            .name("collector".to_owned())
            .spawn(check)
            .map(|_| ())
    }
}

impl SpanExporter for Counting {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len() as u64;
        let result = self.otlp.export(batch).await;
        let outcome = if result.is_ok() { "sent" } else { "refused" };
        SPANS.of([("outcome", outcome)]).inc_by(count);
        // If no thread can be started, assume that the collector is available, so that the next batch checks it.
        if self.collector.record(&result) && self.start_recovery_checks().is_err() {
            self.collector.record(&Ok(()));
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        // There is only one reference, because the provider is still being built.
        if let Some(otlp) = Arc::get_mut(&mut self.otlp) {
            otlp.set_resource(resource);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        time::Instant,
    };

    use opentelemetry_otlp::WithExportConfig as _;

    use super::*;

    #[test]
    fn invalid_sampler_settings_are_reported() {
        for (sampler, ratio) in [
            ("", "lots"),
            ("always_off", ""),
            ("traceidratio", "0.01"),
            ("parentbased_traceidratio", "1"),
        ] {
            assert_eq!(invalid_sampler_setting(sampler, ratio), None, "{sampler} {ratio}");
        }
        for (sampler, ratio, expected) in [
            ("traceidratio", "", "OTEL_TRACES_SAMPLER_ARG="),
            ("parentbased_traceidratio", "1%", "OTEL_TRACES_SAMPLER_ARG=1%"),
            ("traceidratio", "10", "OTEL_TRACES_SAMPLER_ARG=10"),
            ("jaeger_remote", "0.01", "OTEL_TRACES_SAMPLER=jaeger_remote"),
        ] {
            assert_eq!(invalid_sampler_setting(sampler, ratio).as_deref(), Some(expected));
        }
    }

    #[test]
    fn recovery_of_the_collector_is_detected_without_spans() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let endpoint = format!("http://{address}/v1/traces");
        let otlp = Otlp::builder()
            .with_http()
            .with_endpoint(endpoint)
            .build()
            .unwrap();
        let collector = Collector::default();
        let exporter = Counting {
            otlp: Arc::new(otlp),
            collector: collector.clone(),
        };
        assert!(futures::executor::block_on(exporter.export(vec![])).is_err());
        assert!(collector.is_unavailable());

        let listener = TcpListener::bind(address).unwrap();
        let (mut connection, _) = listener.accept().unwrap();
        let count = connection.read(&mut [0; 4096]).unwrap();
        assert!(count > 0);
        connection
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        let started = Instant::now();
        while collector.is_unavailable() {
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "the recovery was not detected"
            );
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}
