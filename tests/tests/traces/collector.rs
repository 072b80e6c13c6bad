//! A collector that receives OTLP traces and checks whether a trace is complete.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use e2e::stack::Status;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message as _;

pub(crate) const CLIENT: i32 = 3;
pub(crate) const PRODUCER: i32 = 4;
pub(crate) const CONSUMER: i32 = 5;

#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) kind: i32,
    trace: String,
    id: String,
    parent: String,
    pub(crate) links: Vec<String>,
    pub(crate) attributes: BTreeMap<String, String>,
    /// Names of the attributes that are integers.
    pub(crate) numbers: BTreeSet<String>,
}

/// The spans of all traces that were received so far.
#[derive(Clone, Default)]
pub(crate) struct Collector(Arc<Mutex<Vec<Span>>>);

impl Collector {
    /// Starts a collector at the address to which `cargo xtask test` has configured the services to send spans.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port("SOUK_TEST_OTLP")))
            .await
            .expect("the port is free");
        let this = Self::default();
        let router = Router::new()
            .route("/v1/traces", post(receive))
            .with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    /// Waits until all services have detected that the collector is available. Before that they record no spans.
    pub(crate) async fn wait_until_detected(&self, status: &Status) {
        for admin in status
            .processes
            .iter()
            .filter_map(|process| process.admin_url.as_ref())
        {
            let is_unavailable = async || {
                let metrics = reqwest::get(format!("{admin}/metrics")).await.expect("an answer");
                let text = metrics.text().await.expect("text");
                text.lines()
                    .any(|line| line.starts_with("telemetry_collector_away") && line.ends_with(" 1.0"))
            };
            let mut attempts = 0;
            while is_unavailable().await {
                attempts += 1;
                assert!(attempts < 100, "{admin} does not detect the collector");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    /// Returns the span with this id in any trace.
    pub(crate) fn span(&self, id: &str) -> Option<Span> {
        let all = self.0.lock().expect("no panic while locked");
        all.iter().find(|span| span.id == id).cloned()
    }

    fn trace_spans(&self, trace: &str) -> Vec<Span> {
        let all = self.0.lock().expect("no panic while locked");
        all.iter().filter(|span| span.trace == trace).cloned().collect()
    }

    /// Waits until the trace has these edges, and all parents and linked spans of its spans have been received.
    pub(crate) async fn complete_trace(&self, trace: &str, expected: &[(&str, &str)]) -> Vec<Span> {
        let mut problem = String::new();
        for _ in 0..150 {
            let spans = self.trace_spans(trace);
            let ids: BTreeSet<&str> = spans.iter().map(|span| span.id.as_str()).chain([""]).collect();
            let orphans: Vec<&Span> = spans.iter().filter(|span| !ids.contains(&*span.parent)).collect();
            let edges = edges(&spans);
            let missing: Vec<_> = expected
                .iter()
                .filter(|(parent, child)| !edges.contains(&((*parent).to_owned(), (*child).to_owned())))
                .collect();
            let links = spans.iter().flat_map(|span| &span.links);
            let unknown: Vec<_> = links.filter(|link| self.span(link).is_none()).collect();
            if orphans.is_empty() && missing.is_empty() && unknown.is_empty() {
                return spans;
            }
            problem = format!(
                "missing edges: {missing:#?}\nspans without their parent: {orphans:#?}\nunknown links: {unknown:#?}\nreceived edges: {edges:#?}"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("the trace is not complete after 30 s\n{problem}");
    }
}

async fn receive(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) {
    if headers["content-type"] == "application/json" {
        let request = serde_json::from_slice(&body).expect("JSON");
        let mut all = collector.0.lock().expect("no panic while locked");
        return all.extend(parse_browser_export(&request));
    }
    let request = ExportTraceServiceRequest::decode(body).expect("OTLP");
    let mut all = collector.0.lock().expect("no panic while locked");
    for resource in request.resource_spans {
        let about = attributes(
            resource
                .resource
                .map(|resource| resource.attributes)
                .unwrap_or_default(),
        );
        let service = about.get("service.name").cloned().unwrap_or_default();
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            all.push(Span {
                service: service.clone(),
                name: span.name,
                kind: span.kind,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                links: span.links.iter().map(|link| hex(&link.span_id)).collect(),
                numbers: numbers(&span.attributes),
                attributes: attributes(span.attributes),
            });
        }
    }
}

/// Parses the JSON export of a browser, as this test sends it: with one resource and one scope.
fn parse_browser_export(request: &serde_json::Value) -> Vec<Span> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let resource = &request["resourceSpans"][0];
    let service = text(&resource["resource"]["attributes"][0]["value"]["stringValue"]);
    let spans = resource["scopeSpans"][0]["spans"].as_array().expect("spans");
    spans
        .iter()
        .map(|span| Span {
            service: service.clone(),
            name: text(&span["name"]),
            kind: CLIENT,
            trace: text(&span["traceId"]),
            id: text(&span["spanId"]),
            parent: text(&span["parentSpanId"]),
            links: vec![],
            attributes: BTreeMap::new(),
            numbers: BTreeSet::new(),
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn attributes(list: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |pair: KeyValue| match pair.value?.value? {
        Value::StringValue(text) => Some((pair.key, text)),
        Value::IntValue(number) => Some((pair.key, number.to_string())),
        Value::BoolValue(flag) => Some((pair.key, flag.to_string())),
        _ => None,
    };
    list.into_iter().filter_map(text).collect()
}

fn numbers(list: &[KeyValue]) -> BTreeSet<String> {
    let is_number = |pair: &&KeyValue| {
        let value = pair.value.as_ref().and_then(|value| value.value.as_ref());
        matches!(value, Some(Value::IntValue(_)))
    };
    list.iter()
        .filter(is_number)
        .map(|pair| pair.key.clone())
        .collect()
}

/// Returns the edges of a trace: `service: name` of each parent and of its child.
fn edges(spans: &[Span]) -> BTreeSet<(String, String)> {
    let label = |span: &Span| format!("{}: {}", span.service, span.name);
    let by_id: BTreeMap<&str, &Span> = spans.iter().map(|span| (span.id.as_str(), span)).collect();
    let edge = |span: &Span| Some((label(by_id.get(&*span.parent)?), label(span)));
    spans.iter().filter_map(edge).collect()
}

/// Returns the port that `cargo xtask test` has set in the environment variable `setting`.
#[expect(
    clippy::disallowed_methods,
    reason = "the port comes from xtask, not from a configuration struct"
)]
pub(crate) fn port(setting: &str) -> u16 {
    let port =
        std::env::var(setting).unwrap_or_else(|_| panic!("{setting} is not set: use `cargo xtask test`"));
    port.parse().expect(setting)
}
