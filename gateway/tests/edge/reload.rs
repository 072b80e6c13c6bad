//! Changes of the configuration while requests are served.

use std::{path::Path, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use gateway::{
    Gateway,
    config::Config,
    serve::{self, Source},
};
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::harness::{free_port, with_telemetry};

/// A gateway in front of one upstream that answers `/slow` after 300 ms and every other path at once.
struct Reloading {
    url: String,
    gateway: Arc<Gateway>,
    bind: std::net::SocketAddr,
    upstream: String,
    /// Notified when the upstream has a request for `/slow`.
    slow_began: Arc<Notify>,
    _stop: tokio_util::sync::DropGuard,
}

impl Reloading {
    async fn start() -> Self {
        with_telemetry();
        let slow_began = Arc::new(Notify::new());
        let began = Arc::clone(&slow_began);
        let upstream = Router::new().fallback(async || "hello").route(
            "/slow",
            get(async move || {
                began.notify_one();
                tokio::time::sleep(Duration::from_millis(300)).await;
                "slow"
            }),
        );
        let upstream = testkit::spawn(upstream).await.replace("http://", "");
        let bind = free_port();
        let yaml = yaml(bind, &upstream, "/hello");
        let gateway = Gateway::new(Config::parse(&yaml, |_| None).unwrap()).unwrap();
        let stop = CancellationToken::new();
        gateway.spawn_background(&TaskTracker::new(), &stop);
        serve::start(&gateway, &stop).unwrap();
        Self {
            url: format!("http://{bind}"),
            gateway,
            bind,
            upstream,
            slow_began,
            _stop: stop.drop_guard(),
        }
    }

    /// The configuration with this route instead of `/hello`.
    fn yaml(&self, route: &str) -> String {
        yaml(self.bind, &self.upstream, route)
    }

    async fn reload(&self, yaml: &str) -> anyhow::Result<()> {
        self.gateway
            .reload(Config::parse(yaml, |_| None), Source::Api)
            .await
    }

    async fn status(&self, path: &str) -> u16 {
        let url = format!("{}{path}", self.url);
        reqwest::get(url).await.unwrap().status().as_u16()
    }

    async fn put(&self, yaml: String) -> (u16, Value) {
        let request = reqwest::Client::new().put(format!("{}/config", self.url));
        let answer = request.body(yaml).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

fn yaml(bind: std::net::SocketAddr, upstream: &str, route: &str) -> String {
    format!(
        r#"
version: 1
listeners: {{edge: {{bind: "{bind}"}}}}
upstreams: {{backend: {{discover: {{static: ["{upstream}"]}}}}}}
policies:
  open: [anonymous]
  few: [anonymous, {{rate: {{by: address, quota: 2, window: 10m}}}}]
routes:
  hello: {{match: {{path: {route}, methods: [GET]}}, use: [open], to: backend}}
  slow: {{match: {{path: /slow, methods: [GET]}}, use: [open], to: backend}}
  few: {{match: {{path: /few, methods: [GET]}}, use: [few], local: healthz}}
  config: {{match: {{path: /config, methods: [GET, PUT]}}, use: [open], local: config}}
"#
    )
}

#[tokio::test]
async fn an_operator_replaces_the_configuration_and_an_invalid_one_is_refused() {
    let edge = Reloading::start().await;
    let (status, state) = edge.put(edge.yaml("/slow2")).await;
    assert_eq!(status, 200, "{state}");
    assert_eq!(
        (edge.status("/hello").await, edge.status("/slow2").await),
        (404, 200)
    );
    assert_eq!(state["current"]["source"], "api");
    let digest = state["current"]["digest"].clone();

    for (invalid, error) in [
        (
            edge.yaml("/hello").replace("to: backend", "to: nobody"),
            "line 9, column",
        ),
        (
            edge.yaml("/hello").replace("version: 1", "versions: 1"),
            "line 2, column 1",
        ),
        (
            edge.yaml("/hello").replace(&edge.bind.to_string(), "127.0.0.1:1"),
            "`listeners` cannot change",
        ),
        (
            format!("limits: {{connections: 5}}\n{}", edge.yaml("/hello")),
            "of `limits` can change",
        ),
    ] {
        let (status, problem) = edge.put(invalid).await;
        assert_eq!(status, 422, "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(error), "{detail}");
    }
    let (_, state) = edge.put(edge.yaml("\"/{\"")).await;
    assert_eq!(state["status"], 422, "{state}");
    let state: Value = reqwest::get(format!("{}/config", edge.url))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        state["current"]["digest"], digest,
        "the valid one stays in force: {state}"
    );
    assert!(state["last_attempts"][0]["error"].is_string(), "{state}");

    assert_eq!(edge.put(edge.yaml("/hello")).await.0, 200);
    assert_eq!(edge.status("/hello").await, 200);
    for _ in 0..21 {
        assert_eq!(edge.put("version: 2".to_owned()).await.0, 422);
    }
    let state = reqwest::get(format!("{}/config", edge.url)).await.unwrap();
    let state: Value = state.json().await.unwrap();
    assert_eq!(state["last_attempts"].as_array().unwrap().len(), 20, "{state}");
    assert_eq!(
        state["current"]["source"], "api",
        "still known after many refusals: {state}"
    );
}

#[tokio::test]
async fn a_request_in_flight_keeps_the_configuration_it_began_with() {
    let edge = Reloading::start().await;
    let url = format!("{}/slow", edge.url);
    let slow = tokio::spawn(async move { reqwest::get(url).await.unwrap().text().await.unwrap() });
    edge.slow_began.notified().await;
    let without = edge.yaml("/hello").replace("path: /slow", "path: /other");
    edge.reload(&without).await.unwrap();
    assert_eq!(edge.status("/slow").await, 404);
    assert_eq!(slow.await.unwrap(), "slow");
}

#[tokio::test]
async fn quotas_survive_a_reload_unless_their_rules_change() {
    let edge = Reloading::start().await;
    assert_eq!((edge.status("/few").await, edge.status("/few").await), (200, 200));
    edge.reload(&edge.yaml("/moved")).await.unwrap();
    assert_eq!(
        edge.status("/few").await,
        429,
        "the used-up quota is still used up"
    );
    edge.reload(&edge.yaml("/hello").replace("quota: 2", "quota: 3"))
        .await
        .unwrap();
    assert_eq!(edge.status("/few").await, 200, "a changed quota begins anew");
}

#[tokio::test]
async fn the_file_is_followed_and_a_signal_applies_it_again() {
    let edge = Reloading::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.yaml");
    let first = edge.yaml("/hello");
    std::fs::write(&file, &first).unwrap();
    let (gateway, path) = (Arc::clone(&edge.gateway), file.clone());
    tokio::spawn(async move { serve::follow(&gateway, &path, first).await });

    // Replace the file by another one, as editors do.
    replace(&file, &edge.yaml("/moved"));
    until(&edge, "/moved", 200, "/hello", 404).await;
    replace(&file, "routes: {");
    until_source(&edge, "file", true).await;
    replace(&file, &edge.yaml("/hello"));
    until(&edge, "/hello", 200, "/moved", 404).await;

    // An operator's change stays until the next change of the file, or a signal.
    edge.reload(&edge.yaml("/moved")).await.unwrap();
    assert_eq!(edge.status("/hello").await, 404);
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::HUP).unwrap();
    until(&edge, "/hello", 200, "/moved", 404).await;
    until_source(&edge, "signal", false).await;
}

fn replace(file: &Path, text: &str) {
    let new = file.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, file).unwrap();
}

/// Waits until the two paths have these statuses.
async fn until(edge: &Reloading, first: &str, status: u16, second: &str, other: u16) {
    testkit::eventually("the new configuration", Duration::from_secs(10), async || {
        (edge.status(first).await == status && edge.status(second).await == other).then_some(())
    })
    .await;
}

/// Waits until the last attempt came from this source, and failed or not.
async fn until_source(edge: &Reloading, source: &str, failed: bool) {
    testkit::eventually("the attempt", Duration::from_secs(10), async || {
        let answer = reqwest::get(format!("{}/config", edge.url)).await.ok()?;
        let state: Value = answer.json().await.ok()?;
        let last = &state["last_attempts"][0];
        (last["source"] == source && last["error"].is_string() == failed).then_some(())
    })
    .await;
}

/// A core takes over a new snapshot with its next request, so requests are sent in between.
#[tokio::test]
async fn a_thousand_reloads_leave_no_memory_behind() {
    let edge = Reloading::start().await;
    let (one, other) = (edge.yaml("/hello"), edge.yaml("/moved"));
    let mut resident = vec![];
    for round in 0..11 {
        for _ in 0..50 {
            edge.reload(&other).await.unwrap();
            edge.reload(&one).await.unwrap();
        }
        assert_eq!(edge.status("/hello").await, 200);
        let status = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = status.split(' ').nth(1).unwrap().parse().unwrap();
        if round > 0 {
            resident.push(pages * 4 / 1024);
        }
    }
    let (first, last) = (resident[0], resident[9]);
    assert!(last < first + 20, "resident memory in MiB: {resident:?}");
}
