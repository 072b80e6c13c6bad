//! Tests that every kind of invalid request gets the right status and a problem that points to the invalid field.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::{
    Router,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::Value;
use souk_http::{HashedJson, Json, Path, ProblemBody, Query, page::PageQuery};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    items: Vec<Item>,
    #[serde(default, rename = "note")]
    _note: Option<String>,
    #[serde(default, rename = "kind")]
    _kind: Option<Kind>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Gift,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    quantity: contracts::Quantity,
}

async fn create(Json(order): Json<Order>) -> String {
    order
        .items
        .iter()
        .map(|item| item.quantity.get())
        .sum::<u32>()
        .to_string()
}

async fn optional(order: Option<Json<Order>>) -> String {
    match order {
        Some(order) => create(order).await,
        None => "no body".to_owned(),
    }
}

async fn hashed(HashedJson { sha256, .. }: HashedJson<Value>) -> String {
    sha256.map(|byte| format!("{byte:02x}")).concat()
}

async fn service() -> String {
    let router = Router::new()
        .route("/orders", post(create))
        .route("/optional", post(optional))
        .route("/hashed", post(hashed))
        .route(
            "/orders/{id}",
            get(|Path(id): Path<uuid::Uuid>| async move { id.to_string() }),
        )
        .route(
            "/list",
            get(|Query(page): Query<PageQuery>| async move { page.limit.get().to_string() }),
        );
    testkit::spawn(souk_http::layers(router)).await
}

async fn post_as(
    url: &str,
    content_type: &str,
    body: impl Into<reqwest::Body>,
) -> (u16, Option<ProblemBody>) {
    let request = reqwest::Client::new()
        .post(url)
        .header("content-type", content_type)
        .body(body);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let problem = response.headers()["content-type"] == "application/problem+json";
    let text = response.text().await.unwrap();
    (status, problem.then(|| serde_json::from_str(&text).unwrap()))
}

#[tokio::test]
async fn an_array_is_no_object_and_only_a_text_is_a_name() {
    let url = format!("{}/orders", service().await);
    for (body, pointer) in [
        (r#"[[{"quantity":1}]]"#, ""),
        (r#"{"items":[[1]]}"#, "/items/0"),
        (r#"{"items":[],"kind":5}"#, "/kind"),
        (r#"{"items":[],"kind":{"gift":null}}"#, "/kind"),
        (r#"{"items":[],"kind":"other"}"#, "/kind"),
    ] {
        let (status, problem) = post_as(&url, "application/json", body).await;
        let errors = problem.unwrap_or_else(|| panic!("{body}: {status}")).errors;
        assert_eq!((status, errors[0].pointer.as_str()), (422, pointer), "{body}");
    }
    let valid = post_as(&url, "application/json", r#"{"items":[],"kind":"gift"}"#).await;
    assert_eq!(valid.0, 200);
}

#[tokio::test]
async fn an_optional_body_may_be_empty_but_not_invalid() {
    let url = format!("{}/optional", service().await);
    let json = "application/json";
    for (content_type, body, status) in [
        (json, r#"{"items":[]}"#, 200),
        (json, "", 200),
        ("text/plain", "", 200),
        ("text/plain", r#"{"items":[]}"#, 415),
        (json, "{", 400),
        (json, "{}", 422),
    ] {
        assert_eq!(
            post_as(&url, content_type, body).await.0,
            status,
            "{content_type}: {body}"
        );
    }
    let response = reqwest::Client::new().post(&url).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "no body");
}

#[tokio::test]
async fn an_invalid_body_is_rejected_with_a_specific_status() {
    let url = format!("{}/orders", service().await);
    let large = format!(r#"{{"items":[],"note":"{}"}}"#, "x".repeat(64 * 1024));
    let json = "application/json";
    let cases = [
        ("no json", "text/plain", r#"{"items":[]}"#, 415, None),
        ("too large", json, large.as_str(), 413, None),
        ("empty", json, "", 400, None),
        ("cut off", json, r#"{"items":["#, 400, None),
        ("not utf-8", json, "{\"items\":[],\"note\":\"\u{1}\"}", 400, None),
        ("trailing", json, r#"{"items":[]} x"#, 400, None),
        (
            "unknown field, then nonsense",
            json,
            r#"{"x":1 nonsense"#,
            400,
            None,
        ),
        (
            "unknown field",
            json,
            r#"{"items":[],"admin":true}"#,
            422,
            Some("/admin"),
        ),
        (
            "unknown field below",
            json,
            r#"{"items":[{"quantity":1,"price":0}]}"#,
            422,
            Some("/items/0/price"),
        ),
        (
            "missing field",
            json,
            r#"{"items":[{"quantity":1},{}]}"#,
            422,
            Some("/items/1/quantity"),
        ),
        (
            "out of range",
            json,
            r#"{"items":[{"quantity":1},{"quantity":100}]}"#,
            422,
            Some("/items/1/quantity"),
        ),
        (
            "wrong type",
            json,
            r#"{"items":[{"quantity":"1"}]}"#,
            422,
            Some("/items/0/quantity"),
        ),
        ("not an object", json, "7", 422, Some("")),
        ("twice", json, r#"{"items":[],"items":[]}"#, 422, Some("/items")),
    ];
    for (name, content_type, body, status, pointer) in cases {
        let (got, problem) = post_as(&url, content_type, body.to_owned()).await;
        let problem = problem.unwrap_or_else(|| panic!("{name}: no problem+json, {got}"));
        assert_eq!((got, problem.status), (status, status), "{name}: {problem:?}");
        assert_eq!(problem.instance.as_deref(), Some("/orders"), "{name}");
        let pointers: Vec<_> = problem
            .errors
            .iter()
            .map(|error| error.pointer.as_str())
            .collect();
        assert_eq!(
            pointers,
            pointer.into_iter().collect::<Vec<_>>(),
            "{name}: {problem:?}"
        );
    }
    let (status, _) = post_as(
        &url,
        "application/json; charset=utf-8",
        r#"{"items":[{"quantity":99}]}"#,
    )
    .await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn the_hash_covers_the_bytes_as_received() {
    let url = format!("{}/hashed", service().await);
    let client = reqwest::Client::new();
    let mut hashes = Vec::new();
    for body in [r#"{"a":1}"#, r#"{"a": 1}"#, r#"{"a":1}"#] {
        let request = client
            .post(&url)
            .header("content-type", "application/json")
            .body(body);
        hashes.push(request.send().await.unwrap().text().await.unwrap());
    }
    assert_eq!(
        hashes[0],
        "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    );
    assert_eq!(hashes[0], hashes[2]);
    assert_ne!(hashes[0], hashes[1]);
}

#[tokio::test]
async fn invalid_queries_are_422_and_invalid_paths_404() {
    let base = service().await;
    let get = async |path: &str| {
        let response = reqwest::get(format!("{base}{path}")).await.unwrap();
        let status = response.status().as_u16();
        let problem: Option<ProblemBody> = response.json().await.ok();
        (
            status,
            problem
                .and_then(|problem| problem.errors.into_iter().next())
                .map(|error| error.pointer),
        )
    };
    assert_eq!(get("/list").await.0, 200);
    assert_eq!(get("/list?limit=100").await.0, 200);
    for (query, pointer) in [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=x", "/limit"),
        ("page=1", "/page"),
    ] {
        assert_eq!(
            get(&format!("/list?{query}")).await,
            (422, Some(pointer.to_owned())),
            "{query}"
        );
    }
    assert_eq!(get("/orders/7").await.0, 404);
    assert_eq!(get("/orders/019283bc-0000-7000-8000-000000000000").await.0, 200);
}
