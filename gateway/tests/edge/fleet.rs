//! A gateway in front of several instances of a service, whose behaviour the test controls.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU16, AtomicU64, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{any, get},
};
use serde_json::Value;
use tokio_util::sync::DropGuard;

use crate::harness::{free_port, start};

/// An instance. It responds to every request with the request's body, or with `{}` if it is empty.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    behaviour: Arc<Behaviour>,
}

struct Behaviour {
    hits: AtomicUsize,
    /// Status of its responses; 0 means that it breaks the connection instead.
    status: AtomicU16,
    delay_ms: AtomicU64,
    is_ready: AtomicBool,
    checks: AtomicUsize,
    /// Whether responses have `Retry-After`.
    sheds: AtomicBool,
}

/// Starts an instance that responds with 200.
pub(crate) async fn service() -> Service {
    let behaviour = Arc::new(Behaviour {
        hits: AtomicUsize::new(0),
        status: AtomicU16::new(200),
        delay_ms: AtomicU64::new(0),
        is_ready: AtomicBool::new(true),
        checks: AtomicUsize::new(0),
        sheds: AtomicBool::new(false),
    });
    let app = Router::new()
        .route("/readyz", get(ready))
        .fallback(any(answer))
        .with_state(Arc::clone(&behaviour));
    let address = testkit::spawn(app).await.replace("http://", "").parse().unwrap();
    Service { address, behaviour }
}

/// Starts this number of instances.
pub(crate) async fn services<const N: usize>() -> [Service; N] {
    let all = futures::future::join_all((0..N).map(|_| service())).await;
    all.try_into().unwrap_or_else(|_| panic!("{N} services"))
}

async fn ready(State(behaviour): State<Arc<Behaviour>>) -> StatusCode {
    behaviour.checks.fetch_add(1, SeqCst);
    if behaviour.is_ready.load(Relaxed) {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

async fn answer(State(behaviour): State<Arc<Behaviour>>, body: Body) -> Response {
    behaviour.hits.fetch_add(1, SeqCst);
    let mut body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    if body.is_empty() {
        body = "{}".into();
    }
    tokio::time::sleep(Duration::from_millis(behaviour.delay_ms.load(Relaxed))).await;
    match behaviour.status.load(Relaxed) {
        // hyper closes the connection when a handler panics.
        0 => panic!("this instance breaks its connections"),
        status => {
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            if behaviour.sheds.load(Relaxed) {
                let headers = response.headers_mut();
                headers.insert("retry-after", "7".parse().unwrap());
            }
            response
        }
    }
}

impl Service {
    pub(crate) fn hits(&self) -> usize {
        self.behaviour.hits.load(SeqCst)
    }

    /// Number of health checks.
    pub(crate) fn checks(&self) -> usize {
        self.behaviour.checks.load(SeqCst)
    }

    /// The status of its responses from now on; 0 means that it breaks the connection instead.
    pub(crate) fn respond_with(&self, status: u16) {
        self.behaviour.status.store(status, Relaxed);
    }

    pub(crate) fn delay(&self, delay: Duration) {
        let delay = u64::try_from(delay.as_millis()).unwrap();
        self.behaviour.delay_ms.store(delay, Relaxed);
    }

    pub(crate) fn set_ready(&self, is_ready: bool) {
        self.behaviour.is_ready.store(is_ready, Relaxed);
    }

    pub(crate) fn shed(&self) {
        self.behaviour.sheds.store(true, Relaxed);
    }
}

/// A gateway, which stops when this is dropped.
pub(crate) struct Edge {
    url: String,
    client: reqwest::Client,
    /// Name of the upstream, which no other gateway has.
    pub(crate) upstream: String,
    _guard: DropGuard,
}

/// Starts a gateway in front of these instances. `upstream` are further options of the upstream, and `policy` are further
/// links of its routes `/x` (all methods that the tests use), `/stream` and `/joined`.
pub(crate) fn edge(instances: &[SocketAddr], upstream: &str, policy: &str) -> Edge {
    let list: Vec<_> = instances.iter().map(|address| format!("\"{address}\"")).collect();
    edge_with(
        &format!("discover: {{static: [{}]}}, {upstream}", list.join(", ")),
        policy,
    )
}

/// Like [`edge`], with all options of the upstream.
pub(crate) fn edge_with(upstream: &str, policy: &str) -> Edge {
    let bind = free_port();
    let name = format!("backend_{}", bind.port());
    let yaml = format!(
        "version: 1\nlisteners: {{edge: {{bind: \"{bind}\"}}}}\nupstreams: {{{name}: {{{upstream}}}}}\n\
         policies: {{open: [anonymous], own: [{policy}]}}\nroutes:\n  \
         x: {{match: {{path: /x, methods: [GET, POST, PUT]}}, use: [open, own], to: {name}, deadline: 5s}}\n  \
         stream: {{match: {{path: /stream, methods: [GET]}}, use: [open, own], to: {name}, idle: 5s}}\n  \
         joined: {{match: {{path: /joined, methods: [GET]}}, use: [open, own], aggregate: {{parts: {{part: {{to: {name}, path: /x}}}}}}}}\n  \
         upstreams: {{match: {{path: /upstreams, methods: [GET]}}, use: [open], local: upstreams}}\n"
    );
    Edge {
        _guard: start(&yaml),
        url: format!("http://{bind}"),
        client: reqwest::Client::new(),
        upstream: name,
    }
}

impl Edge {
    /// A request to the gateway.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method.parse().unwrap(), format!("{}{path}", self.url))
    }

    /// Sends GET requests to `/x`, one after the other, and returns how many had each status.
    pub(crate) async fn get(&self, count: usize) -> std::collections::BTreeMap<u16, usize> {
        let mut statuses = std::collections::BTreeMap::new();
        for _ in 0..count {
            let answer = self.request("GET", "/x").send().await.unwrap();
            *statuses.entry(answer.status().as_u16()).or_default() += 1;
        }
        statuses
    }

    /// The upstream in the list for operators.
    pub(crate) async fn report(&self) -> Value {
        let answer = self.request("GET", "/upstreams").send().await.unwrap();
        let mut report: Value = answer.json().await.unwrap();
        report["items"][0].take()
    }

    /// The state of an instance in the list for operators.
    pub(crate) async fn state(&self, service: &Service) -> String {
        let report = self.report().await;
        let mut instances = report["instances"].as_array().unwrap().iter();
        let instance = instances.find(|one| one["address"] == service.address.to_string());
        instance.unwrap()["state"].as_str().unwrap().to_owned()
    }

    /// Waits until the instance has this state.
    pub(crate) async fn until_state(&self, service: &Service, state: &str) {
        testkit::eventually(state, Duration::from_secs(10), async || {
            (self.state(service).await == state).then_some(())
        })
        .await;
    }
}
