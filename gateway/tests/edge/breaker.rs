//! Breakers: calls to an upstream that fails are stopped, and resumed once it has recovered. Each request uses a new
//! connection, so that all cores get some of them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::any,
};
use gateway::{Gateway, config::Config, serve};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::harness::{assert_problem, connect, free_port, listen_at, rest, with_telemetry};

const BREAKER: &str = "window: 10s, min_calls: 4, failures: 50%, slow: {over: 300ms, share: 80%}, probes: 2";

/// A service whose behaviour the test controls.
#[derive(Default)]
struct Service {
    /// Status of its responses; 0 means a stream.
    status: AtomicU16,
    delay_ms: AtomicUsize,
    hits: AtomicUsize,
    /// Whether responses have `Retry-After`, as load shedding does.
    sheds: AtomicBool,
}

async fn answer(State(service): State<Arc<Service>>, body: Body) -> Response {
    service.hits.fetch_add(1, Relaxed);
    let _ = axum::body::to_bytes(body, usize::MAX).await;
    tokio::time::sleep(Duration::from_millis(service.delay_ms.load(Relaxed) as u64)).await;
    match service.status.load(Relaxed) {
        0 => {
            let later = futures::stream::once(async {
                tokio::time::sleep(Duration::from_millis(400)).await;
                Ok::<_, std::io::Error>("data: 1\n\n")
            });
            Body::from_stream(later).into_response()
        }
        status => {
            let body = "{\"from\": \"service\"}";
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            if service.sheds.load(Relaxed) {
                let headers = response.headers_mut();
                headers.insert("retry-after", "7".parse().unwrap());
            }
            response
        }
    }
}

fn router(service: &Arc<Service>) -> Router {
    Router::new()
        .fallback(any(answer))
        .with_state(Arc::clone(service))
}

struct Edge {
    url: String,
    client: reqwest::Client,
    _ends: DropGuard,
}

/// A gateway with these routes, in front of an HTTP upstream and a gRPC one. `open` is the open time of its breakers.
async fn edge(backend: SocketAddr, open: &str, routes: &str) -> Edge {
    with_telemetry();
    let (bind, grpc) = (free_port(), crate::grpc::inventory().await);
    let yaml = format!(
        "version: 1\nlisteners: {{edge: {{bind: \"{bind}\"}}}}\nupstreams:\n  backend: {{discover: {{static: [\"{backend}\"]}}}}\n  \
         grpc: {{discover: {{dns: \"{grpc}\"}}, protocol: grpc}}\npolicies:\n  open: [anonymous]\n  \
         few: [anonymous, {{rate: {{by: address, quota: 2, window: 60s}}}}]\n  safe: [{{breaker: {{{BREAKER}, open: {open}}}}}]\n  \
         slowly: [{{breaker: {{window: 3s, min_calls: 4, failures: 50%, slow: {{over: 300ms, share: 80%}}, open: {open}, probes: 2}}}}]\n\
         routes:\n  upstreams: {{match: {{path: /upstreams, methods: [GET]}}, use: [open], local: upstreams}}\n{routes}",
    );
    let config = Config::parse(&yaml, |_| None).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    let gateway = Gateway::new(config).unwrap();
    let stop = CancellationToken::new();
    gateway.spawn_background(&TaskTracker::new(), &stop);
    serve::start(&gateway, &stop).unwrap();
    Edge {
        url: format!("http://{bind}"),
        client: reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap(),
        _ends: stop.drop_guard(),
    }
}

/// A gateway in front of a service that responds with this status.
async fn edge_with_service(status: u16, open: &str, routes: &str) -> (Edge, Arc<Service>) {
    let service = Arc::new(Service::default());
    service.status.store(status, Relaxed);
    let backend = testkit::spawn(router(&service)).await.replace("http://", "");
    (edge(backend.parse().unwrap(), open, routes).await, service)
}

impl Edge {
    async fn send(&self, path: &str) -> reqwest::Response {
        let sent = self.client.get(format!("{}{path}", self.url)).send();
        sent.await.expect("a response")
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.send(path).await;
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Sends `count` requests, which must all get the expected status.
    async fn expect_status(&self, count: usize, path: &str, expected: u16) {
        for _ in 0..count {
            assert_eq!(self.send(path).await.status(), expected, "{path}");
        }
    }

    /// The breaker of a route in the list of upstreams.
    async fn breaker(&self, route: &str) -> Value {
        let (_, report) = self.get("/upstreams").await;
        let upstreams = report["items"].as_array().unwrap().iter();
        let mut all = upstreams.flat_map(|one| one["breakers"].as_array().unwrap());
        all.find(|one| one["route"] == route)
            .expect("the breaker is listed")
            .clone()
    }
}

#[tokio::test]
async fn all_cores_stop_calling_a_failing_upstream_and_retry_later() {
    let routes = "  failing: {match: {path: /x, methods: [GET]}, use: [open, safe], to: backend}\n  \
                  other: {match: {path: /y, methods: [GET]}, use: [open, safe], to: backend}\n";
    let (edge, service) = edge_with_service(500, "600ms", routes).await;
    edge.expect_status(4, "/x", 500).await;
    let refused = edge.send("/x").await;
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    for _ in 0..20 {
        assert_problem(edge.get("/x").await, 503);
    }
    assert_eq!(service.hits.load(Relaxed), 4, "no further call is made");
    let shown = edge.breaker("failing").await;
    assert_eq!(
        (&shown["state"], &shown["failure_rate"], &shown["calls"]),
        (&json!("open"), &json!(1.0), &json!(4)),
        "{shown:#}"
    );
    assert!(
        shown["retry_in_seconds"].as_f64().is_some_and(|wait| wait < 0.7),
        "{shown:#}"
    );
    edge.expect_status(1, "/y", 500).await;
    assert_eq!(
        edge.breaker("other").await["state"],
        "closed",
        "each route has a breaker of its own"
    );
    let series =
        |value: &str| format!("gateway_breaker_state{{route=\"failing\",upstream=\"backend\"}} {value}");
    assert!(telemetry::metrics::encode().contains(&series("1.0")));

    testkit::eventually("the breaker is half-open", Duration::from_secs(10), async || {
        (edge.breaker("failing").await["state"] == "half_open").then_some(())
    })
    .await;
    service.delay_ms.store(10_000, Relaxed);
    for _ in 0..2 {
        let outcome = tokio::time::timeout(Duration::from_millis(100), edge.send("/x")).await;
        assert!(
            outcome.is_err(),
            "both probes are let through, and their clients disconnect"
        );
    }
    assert_eq!(edge.breaker("failing").await["state"], "half_open");
    service.delay_ms.store(0, Relaxed);
    testkit::eventually("the probes are released", Duration::from_secs(5), async || {
        (edge.send("/x").await.status() == 500).then_some(())
    })
    .await;
    let wait = edge.breaker("failing").await["retry_in_seconds"]
        .as_f64()
        .unwrap();
    assert!(
        (0.7..=1.33).contains(&wait),
        "a failed probe doubles the open time: {wait}"
    );
    service.status.store(200, Relaxed);
    testkit::eventually("a probe succeeds", Duration::from_secs(10), async || {
        (edge.send("/x").await.status() == 200).then_some(())
    })
    .await;
    edge.expect_status(3, "/x", 200).await;
    assert_eq!(edge.breaker("failing").await["state"], "closed");
    let metrics = telemetry::metrics::encode();
    assert!(metrics.contains(&series("0.0")));
    assert!(metrics.contains("gateway_breaker_opened_total{route=\"failing\",upstream=\"backend\"} 2"));
}

#[tokio::test]
async fn errors_that_the_client_causes_do_not_count() {
    let routes = "  counted: {match: {path: /x, methods: [GET, POST]}, use: [open, safe], to: backend, deadline: 500ms}\n  \
                  few: {match: {path: /few, methods: [GET]}, use: [few, safe], to: backend}\n";
    let (edge, service) = edge_with_service(404, "5m", routes).await;
    edge.expect_status(6, "/x", 404).await;
    let post = |body: reqwest::Body| edge.client.post(format!("{}/x", edge.url)).body(body).send();
    for _ in 0..6 {
        let big = futures::stream::iter((0..70).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1024])));
        let answer = post(reqwest::Body::wrap_stream(big)).await.unwrap();
        assert_eq!(answer.status(), 413);
    }
    let slow_uploads = (0..6).map(|_| {
        let body = futures::stream::pending::<std::io::Result<Vec<u8>>>();
        post(reqwest::Body::wrap_stream(body))
    });
    for answer in futures::future::join_all(slow_uploads).await {
        assert_eq!(answer.unwrap().status(), 408);
    }
    service.delay_ms.store(400, Relaxed);
    for _ in 0..6 {
        let outcome = tokio::time::timeout(Duration::from_millis(50), edge.send("/x")).await;
        assert!(outcome.is_err(), "the client disconnects before the response");
    }
    let shown = edge.breaker("counted").await;
    assert_eq!(shown["state"], "closed", "{shown:#}");
    assert_eq!(
        (&shown["failure_rate"], &shown["slow_rate"]),
        (&json!(0.0), &json!(0.0)),
        "{shown:#}"
    );
    assert_eq!(shown["calls"], 6, "only the six completed calls count: {shown:#}");
    service.delay_ms.store(0, Relaxed);
    edge.expect_status(2, "/few", 404).await;
    edge.expect_status(6, "/few", 429).await;
    assert_eq!(edge.breaker("few").await["calls"], 2);
}

#[tokio::test]
async fn slow_calls_and_timeouts_count_and_a_stream_counts_until_its_head() {
    let routes = "  stream: {match: {path: /stream, methods: [GET]}, use: [open, safe], to: backend, idle: 5s}\n  \
                  slow: {match: {path: /slow, methods: [GET]}, use: [open, slowly], to: backend}\n  \
                  late: {match: {path: /late, methods: [GET]}, use: [open, safe], to: backend, deadline: 200ms}\n";
    let (edge, service) = edge_with_service(0, "5m", routes).await;
    for _ in 0..6 {
        assert_eq!(edge.send("/stream").await.text().await.unwrap(), "data: 1\n\n");
    }
    let shown = edge.breaker("stream").await;
    assert_eq!(
        (&shown["calls"], &shown["slow_rate"]),
        (&json!(6), &json!(0.0)),
        "{shown:#}"
    );
    service.status.store(200, Relaxed);
    service.delay_ms.store(350, Relaxed);
    let burst = (0..20).map(|_| edge.send("/slow"));
    for answer in futures::future::join_all(burst).await {
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(
        edge.breaker("slow").await["state"],
        "closed",
        "a burst does not open it"
    );
    let mut refused = None;
    for _ in 0..20 {
        let answer = edge.send("/slow").await;
        if answer.status() == 503 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("it opens when calls stay slow");
    let wait: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=4).contains(&wait), "shorter than after failures: {wait}");
    edge.expect_status(4, "/late", 504).await;
    assert_problem(edge.get("/late").await, 503);
}

#[tokio::test]
async fn a_joined_response_omits_an_optional_part_whose_breaker_is_open() {
    let routes = "  without: {match: {path: /without, methods: [GET]}, use: [open, safe], aggregate: {parts: {part: {to: backend, path: /x}}}}\n  \
                  needed: {match: {path: /needed, methods: [GET]}, use: [open, safe], aggregate: {parts: {part: {to: backend, path: /x, required: true}}}}\n";
    let (edge, service) = edge_with_service(502, "5m", routes).await;
    edge.expect_status(4, "/without", 200).await;
    edge.expect_status(4, "/needed", 502).await;
    service.status.store(200, Relaxed);
    assert_eq!(
        edge.get("/without").await,
        (200, json!({"part": null, "degraded": ["part"]}))
    );
    let refused = edge.send("/needed").await;
    assert_eq!(refused.status(), 503);
    let wait: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((265..=330).contains(&wait), "{wait}");
    assert_eq!(service.hits.load(Relaxed), 8, "no further call is made");
}

#[tokio::test]
async fn grpc_statuses_open_the_breaker() {
    let routes = "  stock: {match: {path: \"/stock/{sku}\", methods: [GET]}, use: [open, safe], to: grpc, \
                  grpc: {method: souk.inventory.v1.Inventory/Availability, request: {skus: [\"{sku}\"]}, pick: /items/0}}\n";
    let (edge, _) = edge_with_service(200, "5m", routes).await;
    edge.expect_status(6, "/stock/none", 404).await;
    assert_eq!(edge.breaker("stock").await["failure_rate"], 0.0);
    edge.expect_status(4, "/stock/busy", 503).await;
    edge.expect_status(3, "/stock/broken", 502).await;
    assert_eq!(
        edge.breaker("stock").await["state"],
        "open",
        "7 of 13 calls failed"
    );
    assert_problem(edge.get("/stock/A").await, 503);
}

#[tokio::test]
async fn an_unreachable_upstream_is_tried_as_soon_as_it_accepts_connections() {
    let backend = free_port();
    let routes = "  unreachable: {match: {path: /x, methods: [GET]}, use: [open, safe], to: backend}\n";
    let edge = edge(backend, "5m", routes).await;
    edge.expect_status(4, "/x", 503).await;
    assert_eq!(edge.breaker("unreachable").await["state"], "open");
    assert_eq!(
        edge.send("/x").await.headers()["retry-after"],
        "5",
        "an unreachable upstream may recover at any time"
    );
    let service = Arc::new(Service::default());
    service.status.store(200, Relaxed);
    let listener = listen_at(backend);
    let app = router(&service);
    tokio::spawn(async move { axum::serve(listener, app).await });
    testkit::eventually(
        "the upstream is tried again",
        Duration::from_secs(10),
        async || (edge.send("/x").await.status() == 200).then_some(()),
    )
    .await;
    edge.expect_status(3, "/x", 200).await;
    assert_eq!(edge.breaker("unreachable").await["state"], "closed");
    service.status.store(500, Relaxed);
    edge.expect_status(3, "/x", 500).await;
    // Long enough for another check. It accepts connections, but it did before as well, so the breaker stays open.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(edge.breaker("unreachable").await["state"], "open");
}

#[tokio::test]
async fn load_shedding_is_passed_on_and_not_counted_as_a_failure() {
    let routes = "  busy: {match: {path: /x, methods: [GET]}, use: [open, safe], to: backend}\n  \
                  needed: {match: {path: /needed, methods: [GET]}, use: [open, safe], aggregate: {parts: {part: {to: backend, path: /x, required: true}}}}\n  \
                  without: {match: {path: /without, methods: [GET]}, use: [open, safe], aggregate: {parts: {part: {to: backend, path: /x}}}}\n";
    let (edge, service) = edge_with_service(503, "5m", routes).await;
    service.sheds.store(true, Relaxed);
    for (status, needed) in [(503, 503), (429, 429)] {
        service.status.store(status, Relaxed);
        for _ in 0..8 {
            let answer = edge.send("/x").await;
            assert_eq!(
                (
                    answer.status().as_u16(),
                    answer.headers()["retry-after"].to_str().unwrap()
                ),
                (status, "7")
            );
            assert_eq!(answer.text().await.unwrap(), "{\"from\": \"service\"}");
            let answer = edge.send("/needed").await;
            assert_eq!(
                (
                    answer.status().as_u16(),
                    answer.headers()["retry-after"].to_str().unwrap()
                ),
                (needed, "7")
            );
            assert_eq!(
                edge.get("/without").await,
                (200, json!({"part": null, "degraded": ["part"]}))
            );
        }
    }
    for route in ["busy", "needed", "without"] {
        let shown = edge.breaker(route).await;
        assert_eq!((&shown["state"], &shown["calls"]), (&json!("closed"), &json!(0)));
    }
    service.sheds.store(false, Relaxed);
    service.status.store(503, Relaxed);
    edge.expect_status(4, "/x", 503).await;
    assert_eq!(
        edge.breaker("busy").await["state"],
        "open",
        "a 503 without Retry-After is a failure"
    );
}

#[tokio::test]
async fn slow_uploads_hold_no_probes() {
    let routes = "  upload: {match: {path: /x, methods: [GET, POST]}, use: [open, safe], to: backend}\n";
    let (edge, service) = edge_with_service(500, "300ms", routes).await;
    edge.expect_status(4, "/x", 500).await;
    testkit::eventually("the breaker is half-open", Duration::from_secs(10), async || {
        (edge.breaker("upload").await["state"] == "half_open").then_some(())
    })
    .await;
    service.status.store(200, Relaxed);
    let hits = service.hits.load(Relaxed);
    // More uploads than probes; each sends its head and one byte of its body.
    let mut uploads = vec![];
    for _ in 0..8 {
        let mut stream = connect(&edge.url).await;
        let head = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nh";
        stream.write_all(head).await.unwrap();
        uploads.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(
        service.hits.load(Relaxed),
        hits,
        "no incomplete upload reaches the service"
    );
    assert_eq!(edge.breaker("upload").await["state"], "half_open");
    edge.expect_status(2, "/x", 200).await;
    assert_eq!(
        edge.breaker("upload").await["state"],
        "closed",
        "two probes succeeded"
    );
    for mut stream in uploads {
        stream.write_all(b"ello").await.unwrap();
        let answer = rest(stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// A client that finishes its body late leaves the upstream too little time, which must not count against the upstream.
#[tokio::test]
async fn timeouts_after_a_late_upload_do_not_count() {
    let routes =
        "  last: {match: {path: /x, methods: [POST]}, use: [open, safe], to: backend, deadline: 1s}\n";
    let (edge, service) = edge_with_service(200, "5m", routes).await;
    service.delay_ms.store(600, Relaxed);
    let mut uploads = vec![];
    for _ in 0..8 {
        let mut stream = connect(&edge.url).await;
        let head = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nh";
        stream.write_all(head).await.unwrap();
        uploads.push(stream);
    }
    // The remaining time is less than the service needs, and less than half of the deadline.
    tokio::time::sleep(Duration::from_millis(800)).await;
    for stream in &mut uploads {
        stream.write_all(b"ello").await.unwrap();
    }
    for stream in uploads {
        let answer = rest(stream).await;
        // On a busy machine, the end of the body may miss the deadline.
        assert!(
            answer.starts_with("HTTP/1.1 504") || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
    }
    let shown = edge.breaker("last").await;
    assert_eq!((&shown["state"], &shown["calls"]), (&json!("closed"), &json!(0)));
}
