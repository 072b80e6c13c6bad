//! The way of spans out of the process, over OTLP. A collector that is away costs the spans that were meant for it and
//! nothing else: the queue is bounded, the loss is counted, the log tells of its beginning and its end once, and in
//! between nothing is recorded.

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
    away::Collector,
    metrics::Counter,
    sampling::{Ids, Sampling},
};

/// Those that were lost are `recorded` without `sent`, beside what still waits: 2,048 at most, unless the standard
/// `OTEL_BSP_MAX_QUEUE_SIZE` says otherwise.
static SPANS: Counter = Counter::counter(
    "telemetry_spans",
    "Spans that were recorded, that a collector took, and that it did not take",
);

/// How often a collector that is away is asked whether it is back.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// `OTEL_SDK_DISABLED=true`: no span gets an id, and nothing that a process tells names a trace.
pub(crate) fn is_disabled() -> bool {
    setting("OTEL_SDK_DISABLED").eq_ignore_ascii_case("true")
}

/// Makes spans and sends them.
pub(crate) struct Export {
    pub(crate) provider: SdkTracerProvider,
    /// Which spans to make at all.
    pub(crate) sampling: Sampling,
    /// Why nothing is sent although it was wished for.
    pub(crate) unusable: Option<String>,
    /// What the sampler's variables say that nobody understands.
    pub(crate) misread: Option<String>,
}

/// With an exporter if `OTEL_EXPORTER_OTLP_ENDPOINT` (or its traces variant) is set. Without one, requests still get ids,
/// so logs, problems and `traceresponse` name a trace, but nothing is recorded.
pub(crate) fn export(service: &'static str) -> Export {
    let nowhere = |unusable| Export {
        provider: SdkTracerProvider::builder().build(),
        sampling: Sampling {
            usual: Box::new(Sampler::AlwaysOff),
            collector: Collector::default(),
        },
        unusable,
        misread: None,
    };
    let wanted = [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ]
    .iter()
    .any(|key| !setting(key).is_empty());
    if !wanted || is_disabled() {
        return nowhere(None);
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
                // Only what is to be recorded comes here.
                .with_sampler(Sampler::AlwaysOn)
                .with_id_generator(Ids::default())
                .with_span_processor(Recorded(BatchSpanProcessor::builder(exporter).build()))
                .build();
            Export {
                provider,
                sampling: Sampling {
                    // What the standard variables say.
                    usual: Config::default().sampler,
                    collector,
                },
                unusable: None,
                misread: misread(
                    &setting("OTEL_TRACES_SAMPLER"),
                    &setting("OTEL_TRACES_SAMPLER_ARG"),
                ),
            }
        }
        Err(error) => nowhere(Some(error.to_string())),
    }
}

fn setting(key: &str) -> String {
    std::env::var_os(key)
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A setting of which the SDK makes "all of them". It says so only in its own log, which nobody reads.
fn misread(sampler: &str, share: &str) -> Option<String> {
    match sampler {
        "" | "always_on" | "always_off" | "parentbased_always_on" | "parentbased_always_off" => None,
        "traceidratio" | "parentbased_traceidratio" => {
            let is_share = share.parse().is_ok_and(|share: f64| share <= 1.0);
            (!is_share).then(|| format!("OTEL_TRACES_SAMPLER_ARG={share}"))
        }
        _ => Some(format!("OTEL_TRACES_SAMPLER={sampler}")),
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
    otlp: Arc<Otlp>,
    collector: Collector,
}

impl Counting {
    /// Asks the collector whether it is back, until it is: an export of nothing is one that counts.
    fn await_return(&self) -> std::io::Result<()> {
        let (otlp, collector) = (Arc::clone(&self.otlp), self.collector.clone());
        let asks = move || {
            while collector.is_away() {
                std::thread::park_timeout(ASK_EVERY);
                // This client blocks, as the thread of the batches does.
                collector.note(&futures::executor::block_on(otlp.export(vec![])));
            }
        };
        std::thread::Builder::new()
            .name("collector".to_owned())
            .spawn(asks)
            .map(|_| ())
    }
}

impl SpanExporter for Counting {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len() as u64;
        let result = self.otlp.export(batch).await;
        let outcome = if result.is_ok() { "sent" } else { "refused" };
        SPANS.of([("outcome", outcome)]).inc_by(count);
        // Without a thread to ask, the next batch does.
        if self.collector.note(&result) && self.await_return().is_err() {
            self.collector.note(&Ok(()));
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        // Before anybody asks: the provider is being built.
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
    fn a_sampler_that_nobody_understands_is_told() {
        for (sampler, share) in [
            ("", "lots"),
            ("always_off", ""),
            ("traceidratio", "0.01"),
            ("parentbased_traceidratio", "1"),
        ] {
            assert_eq!(misread(sampler, share), None, "{sampler} {share}");
        }
        for (sampler, share, told) in [
            ("traceidratio", "", "OTEL_TRACES_SAMPLER_ARG="),
            ("parentbased_traceidratio", "1%", "OTEL_TRACES_SAMPLER_ARG=1%"),
            ("traceidratio", "10", "OTEL_TRACES_SAMPLER_ARG=10"),
            ("jaeger_remote", "0.01", "OTEL_TRACES_SAMPLER=jaeger_remote"),
        ] {
            assert_eq!(misread(sampler, share).as_deref(), Some(told));
        }
    }

    #[test]
    fn a_collector_that_is_back_is_noticed_without_a_span() {
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
        assert!(collector.is_away());

        let listener = TcpListener::bind(address).unwrap();
        let (mut asked, _) = listener.accept().unwrap();
        let count = asked.read(&mut [0; 4096]).unwrap();
        assert!(count > 0);
        asked
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        let started = Instant::now();
        while collector.is_away() {
            assert!(started.elapsed() < Duration::from_secs(10), "it is not noticed");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}
