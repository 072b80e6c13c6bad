//! Spans that browsers send: the collector gets only what the rules allow, and nothing else of the request.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::State, http::HeaderMap, routing::post};
use serde_json::{Value, json};
use tokio_util::sync::DropGuard;

use crate::harness::{connect, free_port, rest, start};
use tokio::io::AsyncWriteExt as _;

/// The requests that the collector has received.
type Received = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

async fn receive(
    State(received): State<Received>,
    headers: HeaderMap,
    Json(export): Json<Value>,
) -> Json<Value> {
    received.lock().unwrap().push((headers, export));
    Json(json!({}))
}

async fn edge() -> (String, Received, DropGuard) {
    let received = Received::default();
    let router = Router::new()
        .route("/v1/traces", post(receive))
        .with_state(received.clone());
    let collector = testkit::spawn(router).await.replace("http://", "");
    let (bind, down) = (free_port(), free_port());
    let spans = "browser_spans: {service: storefront, max: 2, attributes: [url.template]}";
    let ends = start(&format!(
        r#"
version: 1
listeners: {{edge: {{bind: "{bind}"}}}}
upstreams: {{collector: {{discover: {{static: ["{collector}"]}}}}, down: {{discover: {{static: ["{down}"]}}}}}}
policies: {{open: [anonymous]}}
routes:
  traces: {{match: {{path: /v1/traces, methods: [POST]}}, use: [open], to: collector, {spans}, best_effort: true}}
  down: {{match: {{path: /down, methods: [POST]}}, use: [open], to: down, {spans}, best_effort: true}}
"#
    ));
    (format!("http://{bind}"), received, ends)
}

fn export(service: &str, count: usize) -> Value {
    let span = json!({"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": "place order",
        "kind": 3, "startTimeUnixNano": "1", "endTimeUnixNano": "2", "attributes": [
            {"key": "url.template", "value": {"stringValue": "/v1/orders"}},
            {"key": "enduser.id", "value": {"stringValue": "user-1"}}]});
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": service}}]});
    json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": vec![span; count]}]}]})
}

#[tokio::test]
async fn the_collector_receives_only_what_the_rules_allow() {
    let (url, received, _ends) = edge().await;
    let send = |path: &str, export: &Value| {
        let request = reqwest::Client::new().post(format!("{url}{path}")).json(export);
        request
            .header("cookie", "souk_refresh=secret")
            .header("authorization", "Bearer secret")
            .send()
    };
    assert_eq!(
        send("/v1/traces", &export("storefront", 2))
            .await
            .unwrap()
            .status(),
        200
    );
    let (headers, got) = received
        .lock()
        .unwrap()
        .pop()
        .expect("the collector received the spans");
    for name in ["cookie", "authorization"] {
        assert!(!headers.contains_key(name), "{name} must not be forwarded");
    }
    let attributes = &got["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["attributes"];
    assert_eq!(
        attributes,
        &json!([{"key": "url.template", "value": {"stringValue": "/v1/orders"}}])
    );
    for bad in [
        export("orders", 1),
        export("storefront", 3),
        json!(7),
        json!({"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}),
    ] {
        assert_eq!(send("/v1/traces", &bad).await.unwrap().status(), 422, "{bad:#}");
    }
    assert_eq!(
        send("/down", &export("storefront", 1)).await.unwrap().status(),
        202
    );
    assert_eq!(send("/down", &export("orders", 1)).await.unwrap().status(), 422);
    assert!(received.lock().unwrap().is_empty());
}

#[tokio::test]
async fn compressed_oversized_and_non_json_bodies_are_rejected() {
    let (url, received, _ends) = edge().await;
    let body = export("storefront", 1).to_string();
    let send = |kind: &'static str, encoding: Option<&'static str>, body: Vec<u8>| {
        let mut request = reqwest::Client::new().post(format!("{url}/v1/traces")).body(body);
        request = request.header("content-type", kind);
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        request.send()
    };
    let json = "application/json";
    for (kind, encoding, body, status) in [
        (
            "application/json; charset=utf-8",
            None,
            body.clone().into_bytes(),
            200,
        ),
        (json, Some("gzip"), body.clone().into_bytes(), 415),
        (json, Some("identity"), body.clone().into_bytes(), 415),
        ("application/x-protobuf", None, vec![10, 0], 415),
        ("text/plain", None, body.clone().into_bytes(), 415),
        (json, None, vec![b' '; 65 << 10], 413),
        (json, None, b"{".to_vec(), 422),
    ] {
        let answer = send(kind, encoding, body).await.unwrap();
        assert_eq!(answer.status(), status, "{kind} {encoding:?}");
    }
    assert_eq!(received.lock().unwrap().len(), 1);
    let mut broken = connect(&url).await;
    let head = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    broken.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(broken).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}
