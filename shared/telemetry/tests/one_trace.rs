//! Tests that trace ids exist without an exporter and are propagated to other services. There is only one test, because
//! telemetry can be started only once per process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::{Router, http::HeaderMap, routing::get};
use telemetry::{LogFormat, TraceContext};
use tracing::Instrument;

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn a_request_is_part_of_its_callers_trace_without_an_exporter() {
    let _guard = telemetry::init("test", LogFormat::Json).unwrap();
    assert_eq!(TraceContext::current(), TraceContext::default());

    let inner = Router::new().route(
        "/",
        get(async |headers: HeaderMap| headers["traceparent"].to_str().unwrap().to_owned()),
    );
    let inner = spawn(inner).await;
    let outer = get(async move || {
        let client = reqwest::Client::new();
        let sent = telemetry::http::send(&client, client.get(&inner))
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let stored = TraceContext::current();
        format!(
            "{} {} {sent}",
            telemetry::current_trace_id().unwrap(),
            stored.traceparent.unwrap()
        )
    });
    let outer = spawn(telemetry::http::layer(Router::new().route("/", outer))).await;

    let request = reqwest::Client::new()
        .get(&outer)
        .header("traceparent", CALLER)
        .header("x-request-id", "bad id");
    let answer = request.send().await.unwrap();
    let response = answer.headers()["traceresponse"].to_str().unwrap().to_owned();
    let id = answer.headers()["x-request-id"].to_str().unwrap();
    assert!(uuid::Uuid::parse_str(id).is_ok(), "a bad id is replaced: {id}");
    let text = answer.text().await.unwrap();
    let parts: Vec<&str> = text.split(' ').collect();
    let trace = &CALLER[3..35];
    assert_eq!(parts[0], trace);
    for part in [response.as_str(), parts[1], parts[2]] {
        assert_eq!(&part[3..35], trace, "{part}");
        assert_ne!(&part[36..52], &CALLER[36..52], "it has its own span id");
    }
    assert_eq!(
        [response.as_str(); 2],
        [parts[1], parts[2]],
        "unsampled spans share their span id"
    );

    // A request with an invalid context starts a new trace.
    let fresh = reqwest::Client::new()
        .get(&outer)
        .header("traceparent", "nonsense")
        .send()
        .await
        .unwrap();
    let fresh = fresh.headers()["traceresponse"].to_str().unwrap().to_owned();
    assert_ne!(&fresh[3..35], trace);
    assert_ne!(&fresh[3..35], "0".repeat(32));

    // Continue from a context that another process has stored in a row.
    let stored = TraceContext {
        traceparent: Some(CALLER.into()),
        tracestate: None,
    };
    let span = stored.child(|| tracing::info_span!("process"));
    let seen = async { telemetry::current_trace_id() }.instrument(span).await;
    assert_eq!(
        (seen.as_deref(), stored.trace_id().as_deref()),
        (Some(trace), Some(trace))
    );
}

async fn spawn(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}
