//! Instances are found in Consul and Kubernetes. The tests provide servers that speak those parts of their APIs.

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

use crate::fleet::{Edge, edge_with, services};

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
