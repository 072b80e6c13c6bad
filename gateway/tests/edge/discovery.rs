//! Instances are found in Consul, Docker and Kubernetes. The tests provide servers that speak those parts of their APIs.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};

use crate::fleet::{Edge, edge_with, service, services};

/// Waits until the gateway knows exactly these instances.
async fn until_known(edge: &Edge, addresses: &[SocketAddr]) {
    let mut expected: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    expected.sort();
    let what = format!("the instances {expected:?}");
    testkit::eventually(&what, Duration::from_secs(10), async || {
        let report = edge.report().await;
        let instances = report["instances"].as_array().unwrap().iter();
        let mut known: Vec<_> = instances
            .map(|one| one["address"].as_str().unwrap().to_owned())
            .collect();
        known.sort();
        (known == expected).then_some(())
    })
    .await;
}

/// The state of Consul: an index, and the passing instances. Index 0 means that it fails.
type Catalog = watch::Sender<(u64, Vec<SocketAddr>)>;

/// Responds like `GET /v1/health/service/{service}` of Consul.
async fn consul(
    State(catalog): State<Arc<Catalog>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    assert_eq!(query["passing"], "1");
    assert_eq!(headers["x-consul-token"], "secret");
    let mut state = catalog.subscribe();
    if let Some(known) = query.get("index") {
        assert!(query.contains_key("wait"));
        let known: u64 = known.parse().unwrap();
        let _ = state.wait_for(|(index, _)| *index > known || *index == 0).await;
    }
    let (index, instances) = state.borrow().clone();
    if index == 0 {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    // The first instance has the address of its node.
    let entries = instances.iter().enumerate().map(|(number, address)| {
        let service = if number == 0 { String::new() } else { address.ip().to_string() };
        json!({"Node": {"Address": address.ip()}, "Service": {"Address": service, "Port": address.port()}, "Checks": []})
    });
    let entries: Vec<Value> = entries.collect();
    ([("x-consul-index", index.to_string())], Json(entries)).into_response()
}

#[tokio::test]
async fn instances_in_consul_are_followed() {
    let [one, other] = services().await;
    let catalog = Arc::new(Catalog::new((7, vec![one.address])));
    let app = Router::new()
        .route("/v1/health/service/orders", get(consul))
        .with_state(Arc::clone(&catalog));
    let url = testkit::spawn(app).await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "secret\n").unwrap();
    let edge = edge_with(
        &format!(
            "discover: {{consul: {{service: orders, url: \"{url}\", token: \"{}\"}}}}, balance: round_robin",
            token.display()
        ),
        "",
    );
    assert_eq!(edge.get(2).await, [(200, 2)].into());
    until_known(&edge, &[one.address]).await;
    catalog.send_replace((8, vec![one.address, other.address]));
    until_known(&edge, &[one.address, other.address]).await;
    assert_eq!(edge.get(10).await, [(200, 10)].into());
    assert!(other.hits() >= 4);
    assert_eq!(edge.report().await["discover"], "consul");

    // While Consul fails, the known instances stay.
    catalog.send_replace((0, vec![]));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(edge.get(2).await, [(200, 2)].into());
    // It has lost its state, so its index is lower than before.
    catalog.send_replace((3, vec![other.address]));
    until_known(&edge, &[other.address]).await;
}

/// The containers of the engine, which fails if there are none. Each change of the value is an event.
type Containers = watch::Sender<Vec<Value>>;

/// A container with this address in the network `shop`.
fn container(address: SocketAddr) -> Value {
    let network = |address: &str| json!({"IPAddress": address, "GlobalIPv6Address": ""});
    json!({
        "Id": "0a1b",
        "NetworkSettings": {"Networks": {"egress": network("192.0.2.1"), "shop": network(&address.ip().to_string())}},
    })
}

/// Responds like `GET /containers/json` of the engine.
async fn list_containers(
    State(containers): State<Arc<Containers>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let filters: Value = serde_json::from_str(&query["filters"]).unwrap();
    let expected =
        json!({"label": ["souk.service=orders"], "status": ["running"], "health": ["healthy", "none"]});
    assert_eq!(filters, expected);
    if containers.borrow().is_empty() {
        let problem = json!({"message": "the engine is starting"});
        return (StatusCode::SERVICE_UNAVAILABLE, Json(problem)).into_response();
    }
    Json(containers.borrow().clone()).into_response()
}

/// Responds like `GET /events` of the engine.
async fn container_events(State(containers): State<Arc<Containers>>) -> Body {
    let events = futures::stream::unfold(containers.subscribe(), |mut changes| async {
        changes.changed().await.ok()?;
        Some((Ok::<_, std::io::Error>("{\"Type\":\"container\"}\n"), changes))
    });
    Body::from_stream(events)
}

#[tokio::test]
async fn containers_with_a_label_are_followed() {
    let one = service().await;
    let port = one.address.port();
    // A container has the same port at each address.
    let second = SocketAddr::new("127.0.0.2".parse().unwrap(), port);
    let containers = Arc::new(Containers::new(vec![container(one.address)]));
    let app = Router::new()
        .route("/containers/json", get(list_containers))
        .route("/events", get(container_events))
        .with_state(Arc::clone(&containers));
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let edge = edge_with(
        &format!(
            "discover: {{docker: {{label: souk.service=orders, port: {port}, network: shop, engine: \"unix://{}\"}}}}",
            socket.display()
        ),
        "",
    );
    assert_eq!(edge.get(2).await, [(200, 2)].into());
    until_known(&edge, &[one.address]).await;
    assert_eq!(edge.report().await["discover"], "docker");
    testkit::eventually("the events are followed", Duration::from_secs(5), async || {
        (containers.receiver_count() > 0).then_some(())
    })
    .await;
    containers.send_replace(vec![container(one.address), container(second)]);
    until_known(&edge, &[one.address, second]).await;

    // While the engine fails, the known instances stay.
    containers.send_replace(vec![]);
    tokio::time::sleep(Duration::from_millis(500)).await;
    until_known(&edge, &[one.address, second]).await;
    containers.send_replace(vec![container(second)]);
    until_known(&edge, &[second]).await;
}

/// An endpoint slice with these endpoints, which are ready or not.
fn slice(name: &str, port: u16, endpoints: &[(&str, Option<bool>)]) -> Value {
    let endpoints = endpoints.iter().map(|(address, ready)| {
        let conditions = ready.map_or_else(|| json!({}), |ready| json!({"ready": ready}));
        json!({"addresses": [address], "conditions": conditions})
    });
    json!({
        "metadata": {"name": name, "resourceVersion": "12"},
        "addressType": "IPv4",
        "endpoints": endpoints.collect::<Vec<_>>(),
        "ports": [{"name": "metrics", "port": 1}, {"name": "http", "port": port}],
    })
}

/// The items of the list, and the events of the watch.
type Cluster = (Value, broadcast::Sender<Value>);

/// Responds like the list and the watch of endpoint slices.
async fn kubernetes(
    State((items, events)): State<Cluster>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    assert_eq!(query["labelSelector"], "kubernetes.io/service-name=orders");
    assert_eq!(headers["authorization"], "Bearer secret");
    if !query.contains_key("watch") {
        return Json(json!({"metadata": {"resourceVersion": "41"}, "items": items})).into_response();
    }
    assert_eq!(query["resourceVersion"], "41");
    let lines = futures::stream::unfold(events.subscribe(), |mut events| async {
        let event = events.recv().await.ok()?;
        Some((Ok::<_, std::io::Error>(format!("{event}\n")), events))
    });
    Body::from_stream(lines).into_response()
}

#[tokio::test]
async fn ready_endpoints_in_kubernetes_are_followed() {
    let items = json!([
        slice(
            "orders-a",
            8082,
            &[("127.0.0.1", Some(true)), ("127.0.0.2", Some(false))]
        ),
        slice("orders-b", 8083, &[("127.0.0.3", None)]),
    ]);
    let (events, _) = broadcast::channel(8);
    let app = Router::new()
        .route(
            "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
            get(kubernetes),
        )
        .with_state((items, events.clone()));
    let url = testkit::spawn(app).await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "secret\n").unwrap();
    let edge = edge_with(
        &format!(
            "discover: {{kubernetes: {{service: orders, namespace: shop, port: http, api: \"{url}\", token: \"{}\"}}}}",
            token.display()
        ),
        "",
    );
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    let (a, a2, b) = (
        address("127.0.0.1:8082"),
        address("127.0.0.2:8082"),
        address("127.0.0.3:8083"),
    );
    until_known(&edge, &[a, b]).await;
    testkit::eventually("the watch", Duration::from_secs(5), async || {
        (events.receiver_count() > 0).then_some(())
    })
    .await;
    let send = |kind: &str, object: Value| events.send(json!({"type": kind, "object": object})).unwrap();
    send(
        "MODIFIED",
        slice(
            "orders-a",
            8082,
            &[("127.0.0.1", Some(true)), ("127.0.0.2", Some(true))],
        ),
    );
    until_known(&edge, &[a, a2, b]).await;
    send("BOOKMARK", json!({"metadata": {"resourceVersion": "50"}}));
    send("DELETED", slice("orders-b", 8083, &[]));
    until_known(&edge, &[a, a2]).await;
    // After an error, the slices are listed again.
    send(
        "ERROR",
        json!({"code": 410, "message": "too old resource version"}),
    );
    until_known(&edge, &[a, b]).await;
}
