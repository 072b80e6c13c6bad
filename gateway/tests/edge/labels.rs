//! Containers declare routes by their labels. The tests provide a server that speaks that part of the engine's API.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::harness::{Front, front, front_error};

/// The containers of the engine; `None` means that it fails. Each change of the value is an event.
type Containers = watch::Sender<Option<Vec<Value>>>;

/// Responds like `GET /containers/json`.
async fn list(
    State(containers): State<Arc<Containers>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let Some(containers) = containers.borrow().clone() else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"message": "starting"})),
        )
            .into_response();
    };
    let filters: Value = serde_json::from_str(&query["filters"]).unwrap();
    let label = filters["label"][0].as_str().unwrap();
    let matches = |labels: &Value| match label.split_once('=') {
        Some((name, value)) => labels[name] == value,
        None => labels.get(label).is_some(),
    };
    let found = containers.into_iter().filter(|one| matches(&one["Labels"]));
    Json(found.collect::<Vec<_>>()).into_response()
}

/// Responds like `GET /events`.
async fn events(State(containers): State<Arc<Containers>>) -> Body {
    let events = futures::stream::unfold(containers.subscribe(), |mut changes| async {
        changes.changed().await.ok()?;
        Some((Ok::<_, std::io::Error>("{\"Type\":\"container\"}\n"), changes))
    });
    Body::from_stream(events)
}

/// A container of a Compose service with further labels.
fn container(service: &str, labels: &Value) -> Value {
    let mut all = json!({"com.docker.compose.service": service});
    all.as_object_mut()
        .unwrap()
        .extend(labels.as_object().unwrap().clone());
    let network = json!({"IPAddress": "127.0.0.1", "GlobalIPv6Address": ""});
    json!({"Id": "0a1b", "Labels": all, "NetworkSettings": {"Networks": {"shop": network}}})
}

/// Waits until a GET request has this status and body.
async fn until(front: &Front, path: &str, expected: (u16, &str)) {
    let what = format!("{path}: {expected:?}");
    testkit::eventually(&what, Duration::from_secs(10), async || {
        let answer = front.get(path, &[]).await;
        let status = answer.status().as_u16();
        let body = answer.text().await.unwrap();
        (status == expected.0 && (status != 200 || body == expected.1)).then_some(())
    })
    .await;
}

#[test]
fn names_of_the_routes_of_containers_are_reserved() {
    let route = "{match: {path: /, methods: [GET]}, use: [open], to: backend}";
    let error = front_error(&format!(
        "policies: {{open: [anonymous]}}\nroutes: {{\"docker:blog\": {route}}}"
    ));
    assert!(error.contains("`docker:blog`: names that begin with"), "{error}");
}

#[test]
fn policies_of_the_routes_of_containers_must_exist() {
    let error = front_error("docker_routes: {use: [nobody]}\nroutes: {}");
    assert!(error.contains("there is no policy named `nobody`"), "{error}");
}

#[tokio::test]
async fn labels_of_containers_make_routes() {
    let containers = Arc::new(Containers::new(Some(vec![])));
    let engine = Router::new()
        .route("/containers/json", get(list))
        .route("/events", get(events))
        .with_state(Arc::clone(&containers));
    let engine = testkit::spawn(engine).await;
    let blog = testkit::spawn(Router::new().fallback(async || "blog")).await;
    let port = blog.rsplit(':').next().unwrap();
    let rest = |routes: &str| {
        format!(
            "docker_routes: {{use: [open], engine: \"{engine}\"}}\n\
             policies: {{open: [anonymous], closed: [{{maintenance: {{}}}}, anonymous]}}\n\
             routes:\n  own: {{match: {{path: /own, methods: [GET]}}, use: [open], to: backend}}\n  \
             config: {{match: {{path: /config, methods: [GET]}}, use: [open], local: config}}\n{routes}"
        )
    };
    let front = front(Router::new().fallback(async || "own"), &rest("")).await;
    until(&front, "/blog/1", (404, "")).await;

    let labels = json!({"souk.route": "/blog/{*rest}", "souk.port": port});
    containers.send_replace(Some(vec![container("blog", &labels)]));
    until(&front, "/blog/1", (200, "blog")).await;
    let (_, report) = front.json("/config", &[]).await;
    assert_eq!(report["current"]["source"], "labels", "{report:#}");

    // Labels that make no valid route affect no other route.
    let bad = [
        json!({"souk.route": "/own", "souk.port": port}),
        json!({"souk.route": "/no-port"}),
        json!({"souk.route": "/bad-port", "souk.port": "http"}),
        json!({"souk.route": "/no-policy", "souk.port": port, "souk.use": "nobody"}),
        json!({"souk.route": "no-slash", "souk.port": port}),
    ];
    let bad = bad.into_iter().enumerate();
    let bad = bad.map(|(number, labels)| container(&format!("bad-{number}"), &labels));
    let closed = json!({"souk.route": "/closed", "souk.port": port, "souk.use": "closed", "souk.methods": "GET, POST"});
    let hosted = json!({"souk.route": "/hosted", "souk.port": port, "souk.hosts": "blog.example"});
    let good = [
        container("closed", &closed),
        container("hosted", &hosted),
        container("blog", &labels),
    ];
    containers.send_replace(Some(bad.chain(good.clone()).collect()));
    until(&front, "/closed", (503, "")).await;
    assert_eq!(front.get("/own", &[]).await.text().await.unwrap(), "own");
    for path in ["/no-port", "/bad-port", "/no-policy", "/hosted"] {
        assert_eq!(front.get(path, &[]).await.status(), 404, "{path}");
    }
    let hosted = front.get("/hosted", &[("host", "blog.example")]).await;
    assert_eq!(hosted.text().await.unwrap(), "blog");
    let delete = front.client.delete(format!("{}/closed", front.url));
    assert_eq!(delete.send().await.unwrap().status(), 405);
    until(&front, "/blog/1", (200, "blog")).await;

    // A new file keeps the routes of containers. They stay while the engine fails, too.
    let more = "  more: {match: {path: /more, methods: [GET]}, use: [open], to: backend}\n";
    front.reload(&rest(more)).await;
    assert_eq!(front.get("/more", &[]).await.text().await.unwrap(), "own");
    assert_eq!(front.get("/blog/1", &[]).await.text().await.unwrap(), "blog");
    containers.send_replace(None);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(front.get("/blog/1", &[]).await.text().await.unwrap(), "blog");

    containers.send_replace(Some(good[..2].to_vec()));
    until(&front, "/blog/1", (404, "")).await;
    assert_eq!(front.get("/more", &[]).await.text().await.unwrap(), "own");
    let without = rest("").replacen("docker_routes", "# docker_routes", 1);
    front.reload(&without).await;
    assert_eq!(
        front.get("/hosted", &[("host", "blog.example")]).await.status(),
        404
    );
}
