//! The merged API document of the shipped configuration and the services' reviewed documents.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Json, Router, http::StatusCode, routing::get};
use gateway::{Gateway, config::Config, serve};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::harness::free_port;

fn snapshot(text: &str) -> Value {
    let body = text.splitn(3, "---\n").nth(2).expect("a snapshot");
    serde_json::from_str(body).expect("JSON")
}

fn documents() -> [(&'static str, Value); 6] {
    macro_rules! of {
        ($service:literal) => {
            snapshot(include_str!(concat!(
                "../../../services/",
                $service,
                "/tests/it/snapshots/it__openapi__the_document_is_served_and_as_reviewed.snap"
            )))
        };
    }
    [
        ("SOUK_USERS_ADDR", of!("users")),
        ("SOUK_ORDERS_ADDR", of!("orders")),
        ("SOUK_INVENTORY_ADDR", of!("inventory")),
        ("SOUK_PAYMENTS_ADDR", of!("payments")),
        ("SOUK_AUDITOR_ADDR", of!("auditor")),
        ("SOUK_NOTIFICATIONS_ADDR", of!("notifications")),
    ]
}

/// Collects every object in a JSON value.
fn objects<'a>(value: &'a Value, found: &mut Vec<&'a serde_json::Map<String, Value>>) {
    match value {
        Value::Object(fields) => {
            found.push(fields);
            fields.values().for_each(|field| objects(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| objects(item, found)),
        _ => {}
    }
}

struct Served {
    edge: SocketAddr,
    _ends: DropGuard,
}

/// A gateway with the shipped configuration, in front of these services.
async fn serve(services: impl IntoIterator<Item = (&'static str, Router)>) -> Served {
    let mut addresses = BTreeMap::new();
    for (variable, router) in services {
        addresses.insert(variable, testkit::spawn(router).await.replace("http://", ""));
    }
    let edge = free_port();
    addresses.insert("SOUK_EDGE_ADDR", edge.to_string());
    let file = include_str!("../../gateway.yaml").replace("cache: 60s", "cache: 1ms");
    let config = Config::parse(&file, |name| addresses.get(name).cloned()).unwrap();
    let stop = CancellationToken::new();
    let ends = stop.clone().drop_guard();
    serve::start(&Gateway::new(config).unwrap(), &stop).unwrap();
    Served { edge, _ends: ends }
}

#[tokio::test]
async fn an_unavailable_service_keeps_its_last_document_or_is_listed_as_missing() {
    let payments_asked = Arc::new(AtomicUsize::new(0));
    let services = documents().map(|(variable, document)| {
        let asked = Arc::clone(&payments_asked);
        let document = async move || match variable {
            "SOUK_ORDERS_ADDR" => Err(StatusCode::INTERNAL_SERVER_ERROR),
            "SOUK_PAYMENTS_ADDR" if asked.fetch_add(1, Relaxed) > 0 => Err(StatusCode::NOT_FOUND),
            _ => Ok(Json(document)),
        };
        (variable, Router::new().route("/openapi.json", get(document)))
    });
    let served = serve(services).await;
    testkit::eventually("the document of payments is fetched again", Duration::from_secs(10), async || {
        let answer = reqwest::get(format!("http://{}/openapi.json", served.edge))
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let document: Value = answer.json().await.unwrap();
        assert_eq!(
            document["info"]["description"],
            "Incomplete: the description of these services is missing, because they did not respond: orders."
        );
        assert!(document["paths"]["/v1/payment-methods"].is_object());
        assert!(document["paths"]["/v1/orders"].is_null());
        (payments_asked.load(Relaxed) > 1).then_some(())
    })
    .await;
}

/// Fetches the merged document of all services.
async fn merged() -> Value {
    let served = serve(documents().map(|(variable, document)| {
        let document = Router::new().route("/openapi.json", get(async move || Json(document)));
        (variable, document)
    }))
    .await;
    let edge = served.edge;
    let answer = reqwest::get(format!("http://{edge}/openapi.json")).await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn the_document_is_complete_and_valid_and_describes_what_is_routed() {
    let document = merged().await;
    assert!(document["info"]["description"].is_null(), "no service is missing");

    // The schema `{}` (any value) is valid, but utoipa's types do not support it.
    let text = document
        .to_string()
        .replace(r#""schema":{}"#, r#""schema":{"type":"object"}"#);
    serde_json::from_str::<utoipa::openapi::OpenApi>(&text).expect("an OpenAPI 3.1 document");
    let mut all = vec![];
    objects(&document, &mut all);
    for reference in all.iter().filter_map(|fields| fields.get("$ref")?.as_str()) {
        let target = document.pointer(reference.trim_start_matches('#'));
        assert!(target.is_some(), "{reference} does not resolve");
    }
    let mut ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        assert!(!path.starts_with("/internal"), "{path} is internal");
        for (method, operation) in operations.as_object().unwrap() {
            let name = format!("{method} {path}");
            let id = operation["operationId"]
                .as_str()
                .unwrap_or_else(|| panic!("{name} has no operation id"));
            assert!(ids.insert(id.to_owned()), "{name}: the id {id} is not unique");
            assert!(
                operation["security"].is_array(),
                "{name} has no security requirements"
            );
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(
                    response["description"].is_string() || response["$ref"].is_string(),
                    "{name}: the response {status} has no description"
                );
            }
            let declared = operation["parameters"].as_array().into_iter().flatten();
            let declared: BTreeSet<_> = declared
                .filter(|one| one["in"] == "path")
                .filter_map(|one| one["name"].as_str())
                .collect();
            let used: BTreeSet<_> = path
                .split('/')
                .filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'))
                .collect();
            assert_eq!(declared, used, "{name}");
        }
    }
    let operation = |method: &str, path: &str| &document["paths"][path][method];
    for route in include_str!("../routes.txt").lines() {
        let (method, path) = route.split_once(' ').unwrap();
        // Its service does not describe it.
        if path != "/v1/orders/{id}/events" {
            assert!(
                operation(&method.to_lowercase(), path).is_object(),
                "{route} is not described"
            );
        }
    }
    let schema = "/responses/200/content/application~1json/schema";
    let order = operation("get", "/v1/orders/{id}").pointer(schema).unwrap();
    assert!(order["allOf"][0]["$ref"].is_string(), "{order:#}");
    assert!(
        order["allOf"][1]["properties"]["degraded"].is_object(),
        "{order:#}"
    );
    let payment = &order["allOf"][1]["properties"]["payment"]["oneOf"][1];
    assert!(payment["properties"]["captured"].is_object(), "{payment:#}");
    let availability = operation("get", "/v1/products/{sku}/availability");
    assert_eq!(
        availability.pointer(schema).unwrap()["properties"]["in_stock"],
        json!({"type": "boolean"})
    );
    assert_eq!(availability["security"], json!([]));
    let routes = operation("get", "/v1/admin/routes").pointer(schema).unwrap();
    let figures = &routes["properties"]["items"]["items"]["properties"]["figures"];
    assert_eq!(
        figures["properties"]["p99_ms"]["type"],
        json!(["number", "null"]),
        "{routes:#}"
    );
    for method in ["get", "put"] {
        let state = operation(method, "/v1/admin/config").pointer(schema).unwrap();
        assert_eq!(
            state["properties"]["current"]["properties"]["at"]["format"], "date-time",
            "{state:#}"
        );
    }
    let change = operation("put", "/v1/admin/config");
    assert_eq!(
        change["requestBody"]["content"]["text/yaml"]["schema"],
        json!({"type": "string"})
    );
    assert!(operation("get", "/v1/admin/config")["requestBody"].is_null());
    assert_eq!(
        operation("get", "/v1/account")["security"],
        json!([{"bearer": []}, {"api_key": ["read"]}, {"api_key": ["order"]}, {"api_key": ["admin"]}])
    );
    assert_eq!(
        operation("post", "/v1/orders")["security"],
        json!([{"bearer": []}, {"api_key": ["order"]}])
    );
    assert_eq!(
        operation("post", "/v1/users/me/api-keys")["security"],
        json!([{"bearer": []}])
    );
}

#[tokio::test]
async fn operations_have_links_and_describe_the_rejections_that_all_share() {
    let document = merged().await;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            for rejection in ["400", "429", "503", "504"] {
                let described = operation["responses"][rejection].is_object();
                assert!(described, "{method} {path} does not describe {rejection}");
            }
        }
    }
    let link = |path: &str, status: &str, to: &str| {
        document["paths"][path]["post"]["responses"][status]["links"][to]["parameters"].clone()
    };
    assert_eq!(
        link("/v1/orders", "202", "cancel_order"),
        json!({"id": "$response.body#/id"})
    );
    assert_eq!(
        link("/v1/orders/{id}/returns", "202", "confirm_receipt"),
        json!({"id": "$request.path.id", "return_id": "$response.body#/id"})
    );
    assert_eq!(
        link("/v1/products", "201", "get_product"),
        json!({"sku": "$response.body#/sku"})
    );
}
