//! Links that limit access by address, or change requests and responses.

use axum::{
    Json, Router,
    http::{HeaderMap, Uri},
    routing::any,
};
use serde_json::{Value, json};

use crate::harness::{Front, assert_problem, front, front_error};

/// Responds with the path, the query and the header fields of the request.
async fn describe(uri: Uri, headers: HeaderMap, body: String) -> impl axum::response::IntoResponse {
    let fields: serde_json::Map<String, Value> = headers
        .keys()
        .map(|name| {
            let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap());
            (name.to_string(), values.collect::<Vec<_>>().join(" + ").into())
        })
        .collect();
    let described =
        json!({"path": uri.path(), "query": uri.query(), "headers": fields, "length": body.len()});
    (
        [("x-powered-by", "a framework"), ("x-version", "1")],
        Json(described),
    )
}

/// A gateway whose policy `p` has this link, with the routes `/api/…`, `/items/{id}` and `/upload`.
async fn edge(link: &str) -> Front {
    front(Router::new().fallback(any(describe)), &rest(link)).await
}

fn rest(link: &str) -> String {
    format!(
        "policies: {{p: [anonymous, {link}]}}
routes:
  api: {{match: {{path: \"/api/{{*rest}}\", methods: [GET]}}, use: [p], to: backend}}
  item: {{match: {{path: \"/items/{{id}}\", methods: [GET]}}, use: [p], to: backend}}
  upload: {{match: {{path: /upload, methods: [POST]}}, use: [p], to: backend}}
"
    )
}

#[tokio::test]
async fn a_policy_sets_its_own_limit_of_the_body() {
    let upload = async |edge: &Front, size: usize| {
        let request = edge.client.post(format!("{}/upload", edge.url));
        request.body("x".repeat(size)).send().await.unwrap()
    };
    let large = edge("{body: 200KiB}").await;
    let answer = upload(&large, 200 << 10).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap()["length"], 200 << 10);
    assert_eq!(upload(&large, (200 << 10) + 1).await.status(), 413);
    let small = edge("{body: 1KiB}").await;
    assert_eq!(upload(&small, 1 << 10).await.status(), 200);
    let refused = upload(&small, 1025).await;
    assert_problem((refused.status().as_u16(), refused.json().await.unwrap()), 413);
}

#[tokio::test]
async fn addresses_are_allowed_and_denied() {
    let edge = edge("{ip: {allow: [192.0.2.0/24, 2001:db8::/32], deny: [192.0.2.7/32]}}").await;
    for (client, expected) in [
        ("192.0.2.1", 200),
        ("2001:db8::1", 200),
        ("192.0.2.7", 403),
        ("198.51.100.1", 403),
        // What the client sends itself is to the left of what its proxy appends.
        ("192.0.2.1, 198.51.100.1", 403),
    ] {
        let answer = edge.json("/items/1", &[("x-forwarded-for", client)]).await;
        if expected == 403 {
            assert_problem(answer, 403);
        } else {
            assert_eq!(answer.0, expected, "{client}");
        }
    }
}

#[tokio::test]
async fn only_denied_addresses_are_rejected_without_a_list_of_allowed_ones() {
    let edge = edge("{ip: {deny: [192.0.2.0/24]}}").await;
    let status = async |client| edge.json("/items/1", &[("x-forwarded-for", client)]).await.0;
    assert_eq!(status("192.0.2.1").await, 403);
    assert_eq!(status("198.51.100.1").await, 200);
}

#[tokio::test]
async fn maintenance_rejects_all_but_some_networks() {
    let edge = edge("{maintenance: {retry_after: 90s, allow: [192.0.2.0/24]}}").await;
    let answer = edge.get("/items/1", &[]).await;
    assert_eq!(answer.headers()["retry-after"], "90");
    assert_problem((answer.status().as_u16(), answer.json().await.unwrap()), 503);
    assert_eq!(
        edge.json("/items/1", &[("x-forwarded-for", "192.0.2.1")]).await.0,
        200
    );
    let default = self::edge("{maintenance: {}}").await;
    assert_eq!(default.get("/items/1", &[]).await.headers()["retry-after"], "300");
}

#[tokio::test]
async fn header_fields_are_removed_set_and_added() {
    let edge = edge(
        "{headers: {request: {remove: [cookie], set: {x-shop: souk}, add: {accept-language: de}},
                    response: {remove: [x-powered-by], set: {x-version: \"2\"}, add: {vary: x-shop}}}}",
    )
    .await;
    let sent = [
        ("cookie", "a=b"),
        ("x-shop", "other"),
        ("accept-language", "en"),
        ("x-kept", "1"),
    ];
    let answer = edge.get("/items/1", &sent).await;
    assert!(!answer.headers().contains_key("x-powered-by"));
    assert_eq!(answer.headers()["x-version"], "2");
    assert_eq!(answer.headers()["vary"], "x-shop");
    let seen: Value = answer.json().await.unwrap();
    let seen = &seen["headers"];
    assert_eq!(seen["cookie"], Value::Null);
    assert_eq!(seen["x-shop"], "souk");
    assert_eq!(seen["accept-language"], "en + de");
    assert_eq!(seen["x-kept"], "1");
}

#[tokio::test]
async fn prefixes_and_whole_paths_are_rewritten() {
    let path = async |link: &str, request: &str| {
        let edge = edge(link).await;
        let (status, seen) = edge.json(request, &[]).await;
        assert_eq!(status, 200, "{seen}");
        seen
    };
    let seen = path("{rewrite: {strip_prefix: /api}}", "/api/things?a=b%20c").await;
    assert_eq!(
        (&seen["path"], &seen["query"]),
        (&json!("/things"), &json!("a=b%20c"))
    );
    let seen = path("{rewrite: {strip_prefix: /api, add_prefix: /v2}}", "/api/things").await;
    assert_eq!(seen["path"], "/v2/things");
    let seen = path("{rewrite: {strip_prefix: /api, add_prefix: /v2}}", "/items/7").await;
    assert_eq!(seen["path"], "/v2/items/7");
    let seen = path("{rewrite: {strip_prefix: /api}}", "/api//evil.test/").await;
    assert_eq!(
        seen["path"], "/evil.test/",
        "the path never begins with two slashes"
    );
}

#[tokio::test]
async fn a_path_contains_the_parameters_of_the_route() {
    let rest = rest("{rewrite: {path: \"/v2/{id}/details\"}}");
    let rest: String = rest
        .lines()
        .filter(|line| !line.contains("/api/") && !line.contains("/upload"))
        .fold(String::new(), |all, line| all + line + "\n");
    let edge = front(Router::new().fallback(any(describe)), &rest).await;
    let (_, seen) = edge.json("/items/a%2Fb?x=1", &[]).await;
    assert_eq!(seen["path"], "/v2/a%2Fb/details", "{seen}");
    assert_eq!(seen["query"], "x=1");
}

#[test]
fn invalid_rules_are_refused_with_their_place() {
    for (link, message) in [
        ("{body: 1}", "expected a size such as"),
        ("{ip: {allow: [nonsense]}}", "line 4"),
        ("{ip: {permit: []}}", "unknown field `permit`"),
        ("{maintenance: {retry_after: soon}}", "expected a time such as"),
        ("{headers: {request: {set: {x-user-id: me}}}}", "`x-user-id`"),
        ("{headers: {request: {add: {X_User_Id: me}}}}", "`X_User_Id`"),
        ("{headers: {request: {remove: [Connection]}}}", "`Connection`"),
        (
            "{headers: {response: {set: {transfer-encoding: chunked}}}}",
            "`transfer-encoding`",
        ),
        (
            "{headers: {response: {set: {\"a b\": c}}}}",
            "`a b` is not a valid name",
        ),
        (
            "{headers: {response: {set: {a: \"b\\nc\"}}}}",
            "not a valid value",
        ),
        ("{rewrite: {strip_prefix: api}}", "`api` is not a path"),
        ("{rewrite: {add_prefix: \"/a?b\"}}", "`/a?b` is not a path"),
        ("{rewrite: {path: /a, add_prefix: /b}}", "replaces the whole path"),
        ("{rewrite: {path: \"/a/{\"}}", "needs a name"),
        ("{rewrite: {path: \"/a/{sku}\"}}", "has no parameter `sku`"),
    ] {
        let error = front_error(&rest(link));
        assert!(
            error.starts_with("line 4, column") && error.contains(message),
            "{link}: {error}"
        );
    }
}
