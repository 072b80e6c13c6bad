//! Tests that a checkout is a single trace, from the storefront to all services, both for a confirmed and for a compensated
//! order. The test contains the collector.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod collector;

use std::collections::BTreeSet;

use collector::{CLIENT, CONSUMER, Collector, PRODUCER, Span};
use e2e::{Client, Stack, client};
use reqwest::Method;
use serde_json::json;
use testkit::smtp::Smtp;

/// The edges of every checkout, whether or not the payment succeeds.
const EVERY_CHECKOUT: [(&str, &str); 21] = [
    ("storefront: place order", "storefront: POST /v1/orders"),
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
    ("orders: POST /v1/orders", "notifications: process orders.v1"),
    ("orders: saga reply", "notifications: process orders.v1"),
    ("notifications: process orders.v1", "notifications: INSERT mails"),
];

/// Attributes that must be numbers according to the semantic conventions.
const NUMBERS: [&str; 5] = [
    "http.response.status_code",
    "server.port",
    "rpc.grpc.status_code",
    "messaging.message.body.size",
    "messaging.kafka.offset",
];

/// The edge to the email about a confirmed order.
const MAIL_OF_CONFIRMED: (&str, &str) = (
    "notifications: process orders.v1",
    "notifications: mail order_confirmed",
);
/// The edge to the email about a rejected order.
const MAIL_OF_REJECTED: (&str, &str) = (
    "notifications: process orders.v1",
    "notifications: mail order_rejected",
);

/// The edges of the payment provider's webhook about a capture.
const WEBHOOK: [(&str, &str); 4] = [
    ("psp: deliver webhook", "psp: POST"),
    ("psp: POST", "gateway: POST /v1/webhooks/psp"),
    ("gateway: POST /v1/webhooks/psp", "gateway: POST payments"),
    ("gateway: POST payments", "payments: POST /v1/webhooks/psp"),
];

#[tokio::test]
async fn a_checkout_is_one_trace_whether_confirmed_or_rejected() {
    let collector = Collector::start().await;
    let _mailbox = Smtp::start(collector::port("SOUK_TEST_SMTP")).await;
    let Stack { status, .. } = Stack::running();
    collector.wait_until_detected(&status).await;
    let gateway = status.gateway;
    let (admin, shopper) = tokio::join!(Client::admin(&gateway), Client::shopper(&gateway));
    let sku = admin.product(5).await;

    let confirmed = checkout(&shopper, &sku, "pm_card_ok", "confirmed");
    let rejected = checkout(&shopper, &sku, "pm_card_declined", "rejected");
    let (good, bad) = tokio::join!(confirmed, rejected);

    let expected = [&EVERY_CHECKOUT[..], &WEBHOOK[..], &[MAIL_OF_CONFIRMED]].concat();
    let spans = collector.complete_trace(&good, &expected).await;
    assert_conventions(&spans, &collector);
    assert_eq!(directions(&spans), BTreeSet::from(["do".to_owned()]));

    let expected = [&EVERY_CHECKOUT[..], &[MAIL_OF_REJECTED]].concat();
    let spans = collector.complete_trace(&bad, &expected).await;
    assert_conventions(&spans, &collector);
    assert_eq!(
        directions(&spans),
        BTreeSet::from(["do".to_owned(), "undo".to_owned()])
    );
}

/// Places an order like the storefront, which exports its spans through the gateway. Returns the trace id.
async fn checkout(shopper: &Client, sku: &str, method: &str, expected_status: &str) -> String {
    let trace = uuid::Uuid::new_v4().simple().to_string();
    let (click, sending) = (&trace[..16], &trace[16..]);
    let request = shopper
        .request(Method::POST, "/v1/orders")
        .header("idempotency-key", uuid::Uuid::new_v4().to_string())
        .header("traceparent", format!("00-{trace}-{sending}-01"))
        .json(&client::order_body(sku, 1, method));
    let response = shopper.send(request).await.expect(202);
    let trace_response = response.headers["traceresponse"]
        .to_str()
        .expect("text")
        .to_owned();
    assert_eq!(&trace_response[3..35], trace, "the response has the trace id");
    assert!(
        trace_response.ends_with("-01"),
        "the response has the sampled flag: {trace_response}"
    );
    let span = |id: &str, parent: &str, name: &str| {
        json!({"traceId": trace, "spanId": id, "parentSpanId": parent, "name": name, "kind": CLIENT,
            "startTimeUnixNano": "1", "endTimeUnixNano": "2"})
    };
    let spans = [
        span(click, "", "place order"),
        span(sending, click, "POST /v1/orders"),
    ];
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "storefront"}}]});
    let spans = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]});
    let export = shopper
        .request(Method::POST, "/v1/traces")
        // The export itself must not be recorded.
        .header("traceparent", format!("00-{trace}-{sending}-00"))
        .json(&spans);
    let _ = shopper.send(export).await.expect(200);
    let order = shopper.settled(&response.body).await;
    assert_eq!(order["status"], expected_status, "{order:#}");
    trace
}

fn directions(spans: &[Span]) -> BTreeSet<String> {
    let sagas = spans.iter().filter(|span| span.name == "saga reply");
    sagas
        .map(|span| span.attributes["saga.direction"].clone())
        .collect()
}

/// Checks the attributes that the semantic conventions require for each kind of span.
fn assert_conventions(spans: &[Span], collector: &Collector) {
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
        for name in NUMBERS.iter().filter(|name| span.attributes.contains_key(**name)) {
            assert!(span.numbers.contains(*name), "{name} is not a number: {span:#?}");
        }
        if span.attributes.contains_key("http.request.method") {
            has(span, &["http.response.status_code", "server.address"]);
            let is_client = span.kind == CLIENT;
            has(span, &[if is_client { "url.full" } else { "url.path" }]);
            let status: u16 = span.attributes["http.response.status_code"]
                .parse()
                .expect("a status");
            let is_error = status >= if is_client { 400 } else { 500 };
            assert_eq!(span.attributes.contains_key("error.type"), is_error, "{span:#?}");
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
                panic!("a consumer span must have one link, to its send span: {span:#?}");
            };
            let send = collector.span(send).expect("the linked span exists");
            assert_eq!(send.kind, PRODUCER);
            // Sends to Kafka are batches, which have separate traces.
            if span.attributes["messaging.system"] == "rabbitmq" {
                let id = "messaging.message.id";
                assert_eq!(send.attributes[id], span.attributes[id], "{span:#?} {send:#?}");
            }
        }
        if span.name.starts_with("mail ") {
            has(span, &["network.protocol.name", "server.address", "server.port"]);
            assert!(!span.attributes.contains_key("error.type"), "{span:#?}");
        }
    }
    let expected = [
        ("inventory", "mongodb"),
        ("notifications", "postgresql"),
        ("orders", "postgresql"),
        ("payments", "postgresql"),
        ("psp", "postgresql"),
    ];
    assert_eq!(databases, BTreeSet::from(expected));
}
