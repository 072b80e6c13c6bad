//! One checkout is one trace: what the services export of a confirmed and of a compensated one, taken by a collector in
//! the test.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use e2e::{Client, Stack, client};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message as _;
use reqwest::Method;
use serde_json::json;

const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

#[derive(Debug, Clone)]
struct Span {
    service: String,
    name: String,
    kind: i32,
    trace: String,
    id: String,
    parent: String,
    links: Vec<String>,
    attributes: BTreeMap<String, String>,
}

/// What was exported, of all traces.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

impl Collector {
    /// Listens where `cargo xtask test` has told the services to send their spans.
    #[expect(
        clippy::disallowed_methods,
        reason = "the address comes from xtask, not from a configuration"
    )]
    async fn listen() -> Self {
        let address = std::env::var("SOUK_TEST_OTLP").expect("SOUK_TEST_OTLP: use `cargo xtask test`");
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .expect("the port is free");
        let this = Self::default();
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    fn of(&self, trace: &str) -> Vec<Span> {
        let all = self.0.lock().expect("no panic while locked");
        all.iter().filter(|span| span.trace == trace).cloned().collect()
    }

    /// Waits until the trace has these edges, and no span without its parent but the browser's.
    async fn whole(&self, trace: &str, expected: &[(&str, &str)]) -> Vec<Span> {
        let mut problem = String::new();
        for _ in 0..150 {
            let spans = self.of(trace);
            let ids: BTreeSet<&str> = spans.iter().map(|span| span.id.as_str()).chain([""]).collect();
            let orphans: Vec<&Span> = spans.iter().filter(|span| !ids.contains(&*span.parent)).collect();
            let edges = edges(&spans);
            let missing: Vec<_> = expected
                .iter()
                .filter(|(parent, child)| !edges.contains(&((*parent).to_owned(), (*child).to_owned())))
                .collect();
            if orphans.is_empty() && missing.is_empty() {
                return spans;
            }
            problem = format!("missing: {missing:#?}\nwithout a parent: {orphans:#?}\nthere are: {edges:#?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("the trace is not whole after 30 s\n{problem}");
    }
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) {
    if headers["content-type"] == "application/json" {
        let span = serde_json::from_slice(&body).expect("JSON");
        return collector
            .0
            .lock()
            .expect("no panic while locked")
            .push(of_browser(&span));
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
                attributes: attributes(span.attributes),
            });
        }
    }
}

/// The one span that a browser sends.
fn of_browser(request: &serde_json::Value) -> Span {
    let text = |pointer: &str| {
        request
            .pointer(pointer)
            .and_then(|value| value.as_str())
            .unwrap_or_default()
    };
    Span {
        service: text("/resourceSpans/0/resource/attributes/0/value/stringValue").to_owned(),
        name: text("/resourceSpans/0/scopeSpans/0/spans/0/name").to_owned(),
        kind: CLIENT,
        trace: text("/resourceSpans/0/scopeSpans/0/spans/0/traceId").to_owned(),
        id: text("/resourceSpans/0/scopeSpans/0/spans/0/spanId").to_owned(),
        parent: String::new(),
        links: vec![],
        attributes: BTreeMap::new(),
    }
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

/// `service: name` of each parent with that of its child.
fn edges(spans: &[Span]) -> BTreeSet<(String, String)> {
    let label = |span: &Span| format!("{}: {}", span.service, span.name);
    let by_id: BTreeMap<&str, &Span> = spans.iter().map(|span| (span.id.as_str(), span)).collect();
    let edge = |span: &Span| Some((label(by_id.get(&*span.parent)?), label(span)));
    spans.iter().filter_map(edge).collect()
}

/// From the shopper's request to the last compensation, whatever comes of the payment.
const EVERY_CHECKOUT: [(&str, &str); 17] = [
    ("storefront: POST /v1/orders", "gateway: POST /v1/orders"),
    ("gateway: POST /v1/orders", "gateway: POST orders"),
    ("gateway: POST orders", "orders: POST /v1/orders"),
    (
        "orders: POST /v1/orders",
        "orders: souk.inventory.v1.Inventory/Quote",
    ),
    (
        "orders: souk.inventory.v1.Inventory/Quote",
        "inventory: souk.inventory.v1.Inventory/Quote",
    ),
    (
        "inventory: souk.inventory.v1.Inventory/Quote",
        "inventory: find products",
    ),
    ("orders: POST /v1/orders", "orders: send inventory.commands"),
    ("orders: POST /v1/orders", "inventory: process inventory.commands"),
    (
        "inventory: process inventory.commands",
        "inventory: send orders.replies",
    ),
    (
        "inventory: process inventory.commands",
        "orders: process orders.replies",
    ),
    ("orders: process orders.replies", "orders: saga reply"),
    ("orders: saga reply", "orders: send payments.commands"),
    ("orders: saga reply", "payments: process payments.commands"),
    ("payments: process payments.commands", "payments: POST"),
    ("payments: POST", "psp: POST /v1/payment_intents"),
    (
        "payments: process payments.commands",
        "orders: process orders.replies",
    ),
    ("orders: saga reply", "inventory: process inventory.commands"),
];

/// The provider's event about money that was taken.
const WEBHOOK: [(&str, &str); 4] = [
    ("psp: deliver webhook", "psp: POST"),
    ("psp: POST", "gateway: POST /v1/webhooks/psp"),
    ("gateway: POST /v1/webhooks/psp", "gateway: POST payments"),
    ("gateway: POST payments", "payments: POST /v1/webhooks/psp"),
];

#[tokio::test]
async fn a_checkout_is_one_trace_whatever_comes_of_it() {
    let collector = Collector::listen().await;
    let gateway = Stack::running().status.gateway;
    let (admin, shopper) = tokio::join!(Client::admin(&gateway), Client::shopper(&gateway));
    let sku = admin.product(5).await;

    let confirmed = checkout(&shopper, &sku, "pm_card_ok", "confirmed");
    let rejected = checkout(&shopper, &sku, "pm_card_declined", "rejected");
    let (good, bad) = tokio::join!(confirmed, rejected);

    let expected = [&EVERY_CHECKOUT[..], &WEBHOOK[..]].concat();
    let spans = collector.whole(&good, &expected).await;
    assert_conventions(&spans);
    assert_eq!(directions(&spans), BTreeSet::from(["do".to_owned()]));

    let spans = collector.whole(&bad, &EVERY_CHECKOUT).await;
    assert_conventions(&spans);
    assert_eq!(
        directions(&spans),
        BTreeSet::from(["do".to_owned(), "undo".to_owned()])
    );
}

/// Buys as the storefront does, whose span goes to the collector through the gateway; returns the trace.
async fn checkout(shopper: &Client, sku: &str, method: &str, ends: &str) -> String {
    let trace = uuid::Uuid::new_v4().simple().to_string();
    let root = &trace[16..];
    let request = shopper
        .request(Method::POST, "/v1/orders")
        .header("idempotency-key", uuid::Uuid::new_v4().to_string())
        .header("traceparent", format!("00-{trace}-{root}-01"))
        .json(&client::order_body(sku, 1, method));
    let answer = shopper.send(request).await.expect(202);
    let told = answer.headers["traceresponse"].to_str().expect("text").to_owned();
    assert_eq!(&told[3..35], trace, "the answer names the trace");
    assert!(told.ends_with("-01"), "and says that it is recorded: {told}");
    let span = json!({"traceId": trace, "spanId": root, "name": "POST /v1/orders", "kind": CLIENT,
        "startTimeUnixNano": "1", "endTimeUnixNano": "2"});
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "storefront"}}]});
    let spans = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]});
    let export = shopper
        .request(Method::POST, "/v1/traces")
        // Not a part of any trace itself.
        .header("traceparent", format!("00-{trace}-{root}-00"))
        .json(&spans);
    let _ = shopper.send(export).await.expect(200);
    let order = shopper.settled(&answer.body).await;
    assert_eq!(order["status"], ends, "{order:#}");
    trace
}

fn directions(spans: &[Span]) -> BTreeSet<String> {
    let sagas = spans.iter().filter(|span| span.name == "saga reply");
    sagas
        .map(|span| span.attributes["saga.direction"].clone())
        .collect()
}

/// What the conventions ask of each kind of span.
fn assert_conventions(spans: &[Span]) {
    let by_id: BTreeMap<&str, &Span> = spans.iter().map(|span| (span.id.as_str(), span)).collect();
    let has = |span: &Span, names: &[&str]| {
        for name in names {
            assert!(
                span.attributes.contains_key(*name),
                "{name} is missing: {span:#?}"
            );
        }
    };
    let mut databases = BTreeSet::new();
    for span in spans {
        if span.attributes.contains_key("http.request.method") {
            has(span, &["http.response.status_code", "server.address"]);
        }
        if span.attributes.contains_key("rpc.system") {
            has(span, &["rpc.service", "rpc.method", "rpc.grpc.status_code"]);
        }
        if let Some(system) = span.attributes.get("db.system.name") {
            has(span, &["db.operation.name", "db.query.summary"]);
            databases.insert((span.service.as_str(), system.as_str()));
        }
        if span.name == "saga reply" {
            has(
                span,
                &[
                    "saga.id",
                    "saga.step",
                    "saga.direction",
                    "saga.attempt",
                    "saga.outcome",
                ],
            );
        }
        if span.kind == CONSUMER {
            has(
                span,
                &[
                    "messaging.system",
                    "messaging.operation.name",
                    "messaging.destination.name",
                ],
            );
            let [send] = span.links.as_slice() else {
                panic!("a processing names its sending: {span:#?}");
            };
            let send = by_id
                .get(&**send)
                .unwrap_or_else(|| panic!("an unknown sending: {span:#?}"));
            assert_eq!(send.kind, PRODUCER);
            let id = "messaging.message.id";
            assert_eq!(send.attributes[id], span.attributes[id], "{span:#?} {send:#?}");
        }
    }
    let expected = [
        ("inventory", "mongodb"),
        ("orders", "postgresql"),
        ("payments", "postgresql"),
        ("psp", "postgresql"),
    ];
    assert_eq!(databases, BTreeSet::from(expected));
}
