//! In-flight limits: excess calls of a route wait, further ones are rejected early, and other routes are not affected.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, sync::Semaphore};
use tokio_util::sync::DropGuard;

use crate::harness::{connect, free_port, rest, start};

/// A service that holds requests below `/held` until the test adds permits for them.
struct Service {
    permits: Semaphore,
    /// Requests that are currently held.
    current: AtomicUsize,
    /// Highest value of `current` so far.
    peak: AtomicUsize,
    completed: AtomicUsize,
}

async fn hold(State(service): State<Arc<Service>>) -> &'static str {
    let current = service.current.fetch_add(1, SeqCst) + 1;
    service.peak.fetch_max(current, SeqCst);
    service.permits.acquire().await.unwrap().forget();
    service.current.fetch_sub(1, SeqCst);
    service.completed.fetch_add(1, SeqCst);
    "{}"
}

/// Responds with a head and one frame, and then never ends.
async fn endless() -> Response {
    let never = futures::stream::once(async { Ok::<_, std::io::Error>("data: 1\n\n") });
    Body::from_stream(futures::StreamExt::chain(never, futures::stream::pending())).into_response()
}

struct Edge {
    url: String,
    client: reqwest::Client,
    service: Arc<Service>,
    _ends: DropGuard,
}

/// A gateway with these routes. The policy `two` allows two calls in flight and three waiting ones; `one` allows one
/// call in flight and none waiting.
async fn edge(routes: &str) -> Edge {
    let service = Arc::new(Service {
        permits: Semaphore::new(0),
        current: AtomicUsize::new(0),
        peak: AtomicUsize::new(0),
        completed: AtomicUsize::new(0),
    });
    let app = Router::new()
        .route("/held/{*rest}", any(hold))
        .route("/endless", get(endless))
        .fallback(any(|| async { "{}" }))
        .with_state(Arc::clone(&service));
    let backend = testkit::spawn(app).await.replace("http://", "");
    let bind = free_port();
    let yaml = format!(
        "version: 1\nlisteners: {{edge: {{bind: \"{bind}\"}}}}\nupstreams: {{backend: {{discover: {{static: [\"{backend}\"]}}}}}}\npolicies:\n  \
         open: [anonymous]\n  \
         safe: [{{breaker: {{window: 10s, min_calls: 2, failures: 10%, slow: {{over: 5s, share: 10%}}, open: 5m, probes: 1}}}}]\n  \
         two: [{{in_flight: {{max: 2, queue: 3, wait: 30s}}}}]\n  one: [{{in_flight: {{max: 1, queue: 0, wait: 30s}}}}]\n\
         routes:\n  upstreams: {{match: {{path: /upstreams, methods: [GET]}}, use: [open], local: upstreams}}\n{routes}",
    );
    let ends = start(&yaml);
    Edge {
        url: format!("http://{bind}"),
        client: reqwest::Client::new(),
        service,
        _ends: ends,
    }
}

impl Edge {
    /// Sends a request in the background.
    fn send(&self, path: &str) -> tokio::task::JoinHandle<reqwest::Response> {
        let request = self.client.get(format!("{}{path}", self.url)).send();
        tokio::spawn(async move { request.await.expect("a response") })
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.send(path).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Waits until the service holds exactly this number of requests.
    async fn wait_for_held(&self, count: usize) {
        let what = format!("{count} calls are held");
        testkit::eventually(&what, Duration::from_secs(10), async || {
            (self.service.current.load(SeqCst) == count).then_some(())
        })
        .await;
    }

    async fn breaker(&self, route: &str) -> Value {
        let (_, report) = self.get("/upstreams").await;
        let breakers = report["items"][0]["breakers"].as_array().unwrap().clone();
        let mut matching = breakers.into_iter().filter(|one| one["route"] == route);
        matching.next().expect("the breaker is listed")
    }
}

/// Waits until this number of calls of a route is queued.
async fn wait_for_queued(route: &str, count: usize) {
    let series = format!("gateway_calls_queued{{route=\"{route}\",upstream=\"backend\"}} {count}.0");
    testkit::eventually(&series, Duration::from_secs(10), async || {
        telemetry::metrics::encode().contains(&series).then_some(())
    })
    .await;
}

fn assert_too_busy(answer: &reqwest::Response) {
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn excess_calls_of_a_route_wait_and_further_ones_are_rejected_immediately() {
    let routes = "  busy: {match: {path: /held/a, methods: [GET]}, use: [open, safe, two], to: backend}\n  \
                  other: {match: {path: /held/b, methods: [GET]}, use: [open, safe, two], to: backend}\n";
    let edge = edge(routes).await;
    let mut answers = vec![edge.send("/held/a"), edge.send("/held/a")];
    edge.wait_for_held(2).await;
    answers.extend((0..3).map(|_| edge.send("/held/a")));
    wait_for_queued("busy", 3).await;
    for _ in 0..20 {
        let refused = edge.send("/held/a").await.unwrap();
        assert_too_busy(&refused);
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(problem["type"], "https://souk.test/problems/overloaded");
        let text = problem["detail"].as_str().unwrap();
        assert!(!text.contains("service") && !text.contains("database"), "{text}");
    }
    let other = edge.send("/held/b");
    edge.wait_for_held(3).await;
    edge.service.permits.add_permits(6);
    for answer in answers {
        assert_eq!(answer.await.unwrap().status(), 200);
    }
    assert_eq!(other.await.unwrap().status(), 200);
    assert_eq!(
        edge.service.peak.load(SeqCst),
        3,
        "two calls of the busy route and one of the other"
    );
    assert_eq!(edge.service.completed.load(SeqCst), 6);
    let shown = edge.breaker("busy").await;
    assert_eq!(
        (&shown["state"], &shown["calls"], &shown["failure_rate"]),
        (&json!("closed"), &json!(5), &json!(0.0)),
        "rejected calls do not count: {shown:#}"
    );
    let series = "gateway_calls_refused_total{route=\"busy\",upstream=\"backend\"} 20";
    assert!(telemetry::metrics::encode().contains(series));
}

#[tokio::test]
async fn a_client_that_disconnects_leaves_the_queue() {
    let routes = "  queued: {match: {path: /held/a, methods: [GET]}, use: [open, two], to: backend}\n";
    let edge = edge(routes).await;
    let held = [edge.send("/held/a"), edge.send("/held/a")];
    edge.wait_for_held(2).await;
    let waiting: Vec<_> = (0..3).map(|_| edge.send("/held/a")).collect();
    wait_for_queued("queued", 3).await;
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    for cancelled in waiting {
        assert!(cancelled.await.unwrap_err().is_cancelled());
    }
    // The gateway notices it when the connections are closed.
    let next = testkit::eventually("the queue has room", Duration::from_secs(10), async || {
        let mut next = edge.send("/held/a");
        let rejected = tokio::time::timeout(Duration::from_millis(200), &mut next).await;
        rejected.is_err().then_some(next)
    })
    .await;
    edge.service.permits.add_permits(10);
    assert_eq!(next.await.unwrap().status(), 200);
    for answer in held {
        assert_eq!(answer.await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_joined_response_names_an_optional_part_that_is_rejected() {
    let routes = "  without: {match: {path: /without, methods: [GET]}, use: [open, one], aggregate: {parts: {part: {to: backend, path: /held/x}}}}\n  \
                  needed: {match: {path: /needed, methods: [GET]}, use: [open, one], aggregate: {parts: {part: {to: backend, path: /held/x, required: true}}}}\n";
    let edge = edge(routes).await;
    let held = [edge.send("/without"), edge.send("/needed")];
    edge.wait_for_held(2).await;
    assert_eq!(
        edge.get("/without").await,
        (200, json!({"part": null, "degraded": ["part"]}))
    );
    assert_too_busy(&edge.send("/needed").await.unwrap());
    edge.service.permits.add_permits(2);
    for answer in held {
        assert_eq!(answer.await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn slow_uploads_and_open_streams_hold_no_slot() {
    let routes = "  upload: {match: {path: /x, methods: [GET, POST]}, use: [open, one], to: backend}\n  \
                  stream: {match: {path: /endless, methods: [GET]}, use: [open, one], to: backend, idle: 60s}\n";
    let edge = edge(routes).await;
    let mut uploads = vec![];
    for _ in 0..4 {
        let mut stream = connect(&edge.url).await;
        let head = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nh";
        stream.write_all(head).await.unwrap();
        uploads.push(stream);
    }
    for _ in 0..20 {
        assert_eq!(edge.get("/x").await.0, 200);
    }
    for mut stream in uploads {
        stream.write_all(b"ello").await.unwrap();
        let answer = rest(stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let streams = [
        edge.send("/endless").await.unwrap(),
        edge.send("/endless").await.unwrap(),
    ];
    assert!(streams.iter().all(|answer| answer.status() == 200));
}
