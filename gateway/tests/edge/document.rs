//! The joined API document, of the shipped file and the services' reviewed documents.

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
use gateway::{Gateway, config::Config, listen};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::harness::free_port;

fn snapshot(text: &str) -> Value {
    let body = text.splitn(3, "---\n").nth(2).expect("a snapshot");
    serde_json::from_str(body).expect("JSON")
}

fn documents() -> [(&'static str, Value); 6] {
    macro_rules! of {
        ($path:literal) => {
            snapshot(include_str!(concat!("../../../services/", $path)))
        };
    }
    [
        (
            "SOUK_USERS_ADDR",
            of!("users/src/snapshots/users__app__tests__openapi.snap"),
        ),
        (
            "SOUK_ORDERS_ADDR",
            of!("orders/tests/it/snapshots/it__openapi__the_document_is_served_and_as_reviewed.snap"),
        ),
        (
            "SOUK_INVENTORY_ADDR",
            of!("inventory/tests/it/snapshots/it__openapi__the_document_is_served_and_as_reviewed.snap"),
        ),
        (
            "SOUK_PAYMENTS_ADDR",
            of!("payments/tests/service/snapshots/service__api__the_openapi_document_is_as_agreed.snap"),
        ),
        (
            "SOUK_AUDITOR_ADDR",
            of!("auditor/tests/it/snapshots/it__api__the_document_is_served_and_as_reviewed.snap"),
        ),
        (
            "SOUK_NOTIFICATIONS_ADDR",
            of!("notifications/tests/service/snapshots/service__the_openapi_document_is_as_agreed.snap"),
        ),
    ]
}

/// Every object in it.
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

/// A gateway by the shipped file, before these services.
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
    listen::start(&Gateway::new(config).unwrap(), &stop).unwrap();
    Served { edge, _ends: ends }
}

#[tokio::test]
async fn of_a_service_that_is_away_stands_what_it_said_last_and_else_that_it_is_missing() {
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
    testkit::eventually("payments is asked again", Duration::from_secs(10), async || {
        let answer = reqwest::get(format!("http://{}/openapi.json", served.edge))
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let document: Value = answer.json().await.unwrap();
        assert_eq!(
            document["info"]["description"],
            "Incomplete: without orders, which did not answer."
        );
        assert!(document["paths"]["/v1/payment-methods"].is_object());
        assert!(document["paths"]["/v1/orders"].is_null());
        (payments_asked.load(Relaxed) > 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_document_is_whole_valid_and_shows_what_is_routed() {
    let served = serve(documents().map(|(variable, document)| {
        let document = Router::new().route("/openapi.json", get(async move || Json(document)));
        (variable, document)
    }))
    .await;
    let edge = served.edge;
    let answer = reqwest::get(format!("http://{edge}/openapi.json")).await.unwrap();
    assert_eq!(answer.status(), 200);
    let document: Value = answer.json().await.unwrap();
    assert!(document["info"]["description"].is_null(), "nothing is missing");

    // `{}`, which is any value, is valid, but utoipa's types do not know it.
    let text = document
        .to_string()
        .replace(r#""schema":{}"#, r#""schema":{"type":"object"}"#);
    serde_json::from_str::<utoipa::openapi::OpenApi>(&text).expect("an OpenAPI 3.1 document");
    let mut all = vec![];
    objects(&document, &mut all);
    for reference in all.iter().filter_map(|fields| fields.get("$ref")?.as_str()) {
        let target = document.pointer(reference.trim_start_matches('#'));
        assert!(target.is_some(), "{reference} leads nowhere");
    }
    let mut ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        assert!(!path.starts_with("/internal"), "{path} is not for the public");
        for (method, operation) in operations.as_object().unwrap() {
            let name = format!("{method} {path}");
            let id = operation["operationId"]
                .as_str()
                .unwrap_or_else(|| panic!("{name} has no id"));
            assert!(ids.insert(id.to_owned()), "{name}: {id} is not the only one");
            assert!(
                operation["security"].is_array(),
                "{name} does not say who may use it"
            );
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(
                    response["description"].is_string(),
                    "{name}: {status} is not described"
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
        // Not served yet.
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
