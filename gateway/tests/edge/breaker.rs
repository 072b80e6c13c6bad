//! Breakers: an upstream that fails is given up, and comes back. Clients come on new connections, so that all cores
//! see some of them.

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
use gateway::{Gateway, config::Config, listen};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::harness::{assert_problem, connect, free_port, listen_at, rest, with_telemetry};

const BREAKER: &str = "window: 10s, min_calls: 4, failures: 50%, slow: {over: 300ms, share: 80%}, probes: 2";

/// A service that does as it is told.
#[derive(Default)]
struct Service {
    /// Answers this, or with 0 a stream.
    status: AtomicU16,
    delay_ms: AtomicUsize,
    hits: AtomicUsize,
    /// Says with a 503 when to come back, as load shedding does.
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
            let body = "{\"it\": \"said so\"}";
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

/// A gateway with these routes, whose policy `safe` is open for so long, before an upstream `there` and a gRPC one.
async fn edge(there: SocketAddr, open: &str, routes: &str) -> Edge {
    with_telemetry();
    let (bind, grpc) = (free_port(), crate::grpc::inventory().await);
    let yaml = format!(
        "version: 1\nlisteners: {{edge: {{bind: \"{bind}\"}}}}\nupstreams:\n  there: {{discover: {{static: [\"{there}\"]}}}}\n  \
         grpc: {{discover: {{dns: \"{grpc}\"}}, protocol: grpc}}\npolicies:\n  open: [anonymous]\n  \
         few: [anonymous, {{rate: {{by: address, quota: 2, window: 60s}}}}]\n  safe: [{{breaker: {{{BREAKER}, open: {open}}}}}]\n  \
         slowly: [{{breaker: {{window: 3s, min_calls: 4, failures: 50%, slow: {{over: 300ms, share: 80%}}, open: {open}, probes: 2}}}}]\n\
         routes:\n  upstreams: {{match: {{path: /upstreams, methods: [GET]}}, use: [open], local: upstreams}}\n{routes}",
    );
    let config = Config::parse(&yaml, |_| None).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    let gateway = Gateway::new(config).unwrap();
    let stop = CancellationToken::new();
    gateway.spawn_background(&TaskTracker::new(), &stop);
    listen::start(&gateway, &stop).unwrap();
    Edge {
        url: format!("http://{bind}"),
        client: reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap(),
        _ends: stop.drop_guard(),
    }
}

async fn told(status: u16, open: &str, routes: &str) -> (Edge, Arc<Service>) {
    let service = Arc::new(Service::default());
    service.status.store(status, Relaxed);
    let there = testkit::spawn(router(&service)).await.replace("http://", "");
    (edge(there.parse().unwrap(), open, routes).await, service)
}

impl Edge {
    async fn send(&self, path: &str) -> reqwest::Response {
        let sent = self.client.get(format!("{}{path}", self.url)).send();
        sent.await.expect("an answer")
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.send(path).await;
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn times(&self, count: usize, path: &str, expected: u16) {
        for _ in 0..count {
            assert_eq!(self.send(path).await.status(), expected, "{path}");
        }
    }

    /// What is shown of a route's breaker.
    async fn breaker(&self, route: &str) -> Value {
        let (_, report) = self.get("/upstreams").await;
        let upstreams = report["items"].as_array().unwrap().iter();
        let mut all = upstreams.flat_map(|one| one["breakers"].as_array().unwrap());
        all.find(|one| one["route"] == route)
            .expect("it is shown")
            .clone()
    }
}

#[tokio::test]
async fn an_upstream_that_fails_is_given_up_by_all_cores_and_tried_again() {
    let routes = "  failing: {match: {path: /x, methods: [GET]}, use: [open, safe], to: there}\n  \
                  other: {match: {path: /y, methods: [GET]}, use: [open, safe], to: there}\n";
    let (edge, service) = told(500, "600ms", routes).await;
    edge.times(4, "/x", 500).await;
    let refused = edge.send("/x").await;
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    for _ in 0..20 {
        assert_problem(edge.get("/x").await, 503);
    }
    assert_eq!(service.hits.load(Relaxed), 4, "it is left alone");
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
    edge.times(1, "/y", 500).await;
    assert_eq!(
        edge.breaker("other").await["state"],
        "closed",
        "each route has its own"
    );
    let series =
        |value: &str| format!("gateway_breaker_state{{route=\"failing\",upstream=\"there\"}} {value}");
    assert!(telemetry::metrics::encode().contains(&series("1.0")));

    testkit::eventually("its time is over", Duration::from_secs(10), async || {
        (edge.breaker("failing").await["state"] == "half_open").then_some(())
    })
    .await;
    service.delay_ms.store(10_000, Relaxed);
    for _ in 0..2 {
        let left = tokio::time::timeout(Duration::from_millis(100), edge.send("/x")).await;
        assert!(
            left.is_err(),
            "both probes are let through, and their clients leave"
        );
    }
    assert_eq!(edge.breaker("failing").await["state"], "half_open");
    service.delay_ms.store(0, Relaxed);
    testkit::eventually(
        "their places are free again",
        Duration::from_secs(5),
        async || (edge.send("/x").await.status() == 500).then_some(()),
    )
    .await;
    let wait = edge.breaker("failing").await["retry_in_seconds"]
        .as_f64()
        .unwrap();
    assert!(
        (0.7..=1.33).contains(&wait),
        "a probe failed, so it waits twice as long: {wait}"
    );
    service.status.store(200, Relaxed);
    testkit::eventually("a probe is let through", Duration::from_secs(10), async || {
        (edge.send("/x").await.status() == 200).then_some(())
    })
    .await;
    edge.times(3, "/x", 200).await;
    assert_eq!(edge.breaker("failing").await["state"], "closed");
    let metrics = telemetry::metrics::encode();
    assert!(metrics.contains(&series("0.0")));
    assert!(metrics.contains("gateway_breaker_opened_total{route=\"failing\",upstream=\"there\"} 2"));
}

#[tokio::test]
async fn what_an_upstream_is_not_to_blame_for_does_not_count() {
    let routes = "  blame: {match: {path: /x, methods: [GET, POST]}, use: [open, safe], to: there, deadline: 500ms}\n  \
                  few: {match: {path: /few, methods: [GET]}, use: [few, safe], to: there}\n";
    let (edge, service) = told(404, "5m", routes).await;
    edge.times(6, "/x", 404).await;
    let post = |body: reqwest::Body| edge.client.post(format!("{}/x", edge.url)).body(body).send();
    for _ in 0..6 {
        let big = futures::stream::iter((0..70).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1024])));
        let answer = post(reqwest::Body::wrap_stream(big)).await.unwrap();
        assert_eq!(answer.status(), 413);
    }
    let dawdling = (0..6).map(|_| {
        let body = futures::stream::pending::<std::io::Result<Vec<u8>>>();
        post(reqwest::Body::wrap_stream(body))
    });
    for answer in futures::future::join_all(dawdling).await {
        assert_eq!(answer.unwrap().status(), 408);
    }
    service.delay_ms.store(400, Relaxed);
    for _ in 0..6 {
        let left = tokio::time::timeout(Duration::from_millis(50), edge.send("/x")).await;
        assert!(left.is_err(), "the client leaves before the answer");
    }
    let shown = edge.breaker("blame").await;
    assert_eq!(shown["state"], "closed", "{shown:#}");
    assert_eq!(
        (&shown["failure_rate"], &shown["slow_rate"]),
        (&json!(0.0), &json!(0.0)),
        "{shown:#}"
    );
    assert_eq!(shown["calls"], 6, "the service has answered six: {shown:#}");
    service.delay_ms.store(0, Relaxed);
    edge.times(2, "/few", 404).await;
    edge.times(6, "/few", 429).await;
    assert_eq!(edge.breaker("few").await["calls"], 2);
}

#[tokio::test]
async fn slow_answers_and_late_ones_count_and_a_stream_only_until_its_head() {
    let routes = "  stream: {match: {path: /stream, methods: [GET]}, use: [open, safe], to: there, idle: 5s}\n  \
                  slow: {match: {path: /slow, methods: [GET]}, use: [open, slowly], to: there}\n  \
                  late: {match: {path: /late, methods: [GET]}, use: [open, safe], to: there, deadline: 200ms}\n";
    let (edge, service) = told(0, "5m", routes).await;
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
    assert_eq!(edge.breaker("slow").await["state"], "closed", "all began at once");
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
    assert!((1..=4).contains(&wait), "not as long as after failures: {wait}");
    edge.times(4, "/late", 504).await;
    assert_problem(edge.get("/late").await, 503);
}

#[tokio::test]
async fn a_joined_answer_goes_without_a_part_that_is_given_up() {
    let routes = "  without: {match: {path: /without, methods: [GET]}, use: [open, safe], aggregate: {parts: {part: {to: there, path: /x}}}}\n  \
                  needed: {match: {path: /needed, methods: [GET]}, use: [open, safe], aggregate: {parts: {part: {to: there, path: /x, required: true}}}}\n";
    let (edge, service) = told(502, "5m", routes).await;
    edge.times(4, "/without", 200).await;
    edge.times(4, "/needed", 502).await;
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
    assert_eq!(service.hits.load(Relaxed), 8, "it is left alone");
}

#[tokio::test]
async fn a_grpc_method_is_given_up_by_its_codes() {
    let routes = "  stock: {match: {path: \"/stock/{sku}\", methods: [GET]}, use: [open, safe], to: grpc, \
                  grpc: {method: souk.inventory.v1.Inventory/Availability, request: {skus: [\"{sku}\"]}, pick: /items/0}}\n";
    let (edge, _) = told(200, "5m", routes).await;
    edge.times(6, "/stock/none", 404).await;
    assert_eq!(edge.breaker("stock").await["failure_rate"], 0.0);
    edge.times(4, "/stock/busy", 503).await;
    edge.times(3, "/stock/broken", 502).await;
    assert_eq!(edge.breaker("stock").await["state"], "open", "7 of 13");
    assert_problem(edge.get("/stock/A").await, 503);
}

#[tokio::test]
async fn an_upstream_that_was_away_is_tried_as_soon_as_it_takes_connections() {
    let there = free_port();
    let routes = "  away: {match: {path: /x, methods: [GET]}, use: [open, safe], to: there}\n";
    let edge = edge(there, "5m", routes).await;
    edge.times(4, "/x", 503).await;
    assert_eq!(edge.breaker("away").await["state"], "open");
    assert_eq!(
        edge.send("/x").await.headers()["retry-after"],
        "5",
        "it may be back at any time"
    );
    let service = Arc::new(Service::default());
    service.status.store(200, Relaxed);
    let listener = listen_at(there);
    let app = router(&service);
    tokio::spawn(async move { axum::serve(listener, app).await });
    testkit::eventually("it is tried", Duration::from_secs(10), async || {
        (edge.send("/x").await.status() == 200).then_some(())
    })
    .await;
    edge.times(3, "/x", 200).await;
    assert_eq!(edge.breaker("away").await["state"], "closed");
    service.status.store(500, Relaxed);
    edge.times(3, "/x", 500).await;
    // Long enough for a second look: it takes connections, but it did before, too.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(edge.breaker("away").await["state"], "open");
}

#[tokio::test]
async fn load_shedding_passes_through_and_is_no_failure() {
    let routes = "  busy: {match: {path: /x, methods: [GET]}, use: [open, safe], to: there}\n  \
                  needed: {match: {path: /needed, methods: [GET]}, use: [open, safe], aggregate: {parts: {part: {to: there, path: /x, required: true}}}}\n  \
                  without: {match: {path: /without, methods: [GET]}, use: [open, safe], aggregate: {parts: {part: {to: there, path: /x}}}}\n";
    let (edge, service) = told(503, "5m", routes).await;
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
            assert_eq!(answer.text().await.unwrap(), "{\"it\": \"said so\"}");
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
    edge.times(4, "/x", 503).await;
    assert_eq!(
        edge.breaker("busy").await["state"],
        "open",
        "a 503 that does not say when to come back is a failure"
    );
}

#[tokio::test]
async fn slow_uploads_hold_no_probes() {
    let routes = "  upload: {match: {path: /x, methods: [GET, POST]}, use: [open, safe], to: there}\n";
    let (edge, service) = told(500, "300ms", routes).await;
    edge.times(4, "/x", 500).await;
    testkit::eventually("its time is over", Duration::from_secs(10), async || {
        (edge.breaker("upload").await["state"] == "half_open").then_some(())
    })
    .await;
    service.status.store(200, Relaxed);
    let hits = service.hits.load(Relaxed);
    // More of them than there are probes, each with its head and a byte of its body.
    let mut uploads = vec![];
    for _ in 0..8 {
        let mut stream = connect(&edge.url).await;
        let head = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nh";
        stream.write_all(head).await.unwrap();
        uploads.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(service.hits.load(Relaxed), hits, "none of them has been sent");
    assert_eq!(edge.breaker("upload").await["state"], "half_open");
    edge.times(2, "/x", 200).await;
    assert_eq!(
        edge.breaker("upload").await["state"],
        "closed",
        "two probes did well"
    );
    for mut stream in uploads {
        stream.write_all(b"ello").await.unwrap();
        let answer = rest(stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// The time that a client takes to send its body is not left for the upstream, which is not to blame for that.
#[tokio::test]
async fn uploads_that_end_at_the_last_moment_count_as_nothing() {
    let routes = "  last: {match: {path: /x, methods: [POST]}, use: [open, safe], to: there, deadline: 1s}\n";
    let (edge, service) = told(200, "5m", routes).await;
    service.delay_ms.store(600, Relaxed);
    let mut uploads = vec![];
    for _ in 0..8 {
        let mut stream = connect(&edge.url).await;
        let head = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nh";
        stream.write_all(head).await.unwrap();
        uploads.push(stream);
    }
    // Less than the service needs is left, and less than a fair part of the deadline.
    tokio::time::sleep(Duration::from_millis(800)).await;
    for stream in &mut uploads {
        stream.write_all(b"ello").await.unwrap();
    }
    for stream in uploads {
        let answer = rest(stream).await;
        // On a busy machine, the end of the body may come too late.
        assert!(
            answer.starts_with("HTTP/1.1 504") || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
    }
    let shown = edge.breaker("last").await;
    assert_eq!((&shown["state"], &shown["calls"]), (&json!("closed"), &json!(0)));
}
