//! Plugins in WebAssembly.

use std::{path::Path, time::Duration};

use axum::{Json, Router, http::HeaderMap, routing::any};
use serde_json::{Value, json};

use crate::harness::{Front, assert_problem, front, front_error};

const PLUGINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plugins");

/// Responds with the header fields of the request.
async fn describe(headers: HeaderMap) -> impl axum::response::IntoResponse {
    let fields: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
        .collect();
    ([("x-powered-by", "a framework")], Json(json!(fields)))
}

/// The rest of the file with a route `/plugin` that uses this plugin, and one `/other` that does not.
fn rest(file: &Path, options: &str) -> String {
    format!(
        "policies: {{p: [anonymous, {{wasm: {{file: \"{}\"{options}}}}}], open: [anonymous]}}
routes:
  plugin: {{match: {{path: /plugin, methods: [GET]}}, use: [p], to: backend}}
  other: {{match: {{path: /other, methods: [GET]}}, use: [open], to: backend}}
",
        file.display()
    )
}

async fn edge(file: &Path, options: &str) -> Front {
    front(Router::new().fallback(any(describe)), &rest(file, options)).await
}

/// A module whose hook for this kind of message has this body, and whose reply is `reply`, at the address 0.
fn module(hook: &str, body: &str, reply: &str) -> String {
    format!(
        "(module (memory (export \"memory\") 1) (data (i32.const 0) \"{}\")
            (func (export \"souk_abi\") (result i32) (i32.const 1))
            (func (export \"souk_alloc\") (param i32) (result i32) (i32.const 1024))
            (func (export \"{hook}\") (param i32 i32) (result i64) {body} (i64.const {})))",
        reply.replace('"', "\\\""),
        reply.len()
    )
}

/// Writes a module into a folder.
fn write(file: &Path, text: &str) {
    let new = file.with_extension("new");
    std::fs::write(&new, wat::parse_str(text).unwrap()).unwrap();
    std::fs::rename(new, file).unwrap();
}

/// A gateway with a plugin of this text.
async fn edge_with(text: &str) -> (Front, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plugin.wasm");
    write(&file, text);
    (edge(&file, "").await, folder)
}

#[tokio::test]
async fn requests_and_responses_are_changed() {
    let (edge, _folder) = edge_with(include_str!("../../plugins/hello.wat")).await;
    assert_eq!(edge.json("/plugin", &[]).await.1["x-hello"], "world");
    let reply = r#"{"remove": ["x-powered-by"], "set": {"x-plugin": "1"}}"#;
    let (edge, _folder) = edge_with(&module("souk_on_response", "", reply)).await;
    let answer = edge.get("/plugin", &[]).await;
    assert_eq!(answer.headers()["x-plugin"], "1");
    assert!(!answer.headers().contains_key("x-powered-by"));
}

#[tokio::test]
async fn a_plugin_responds_itself() {
    let reply = r#"{"respond": {"status": 418, "headers": {"x-plugin": "1"}, "body": "short and stout"}}"#;
    let (edge, _folder) = edge_with(&module("souk_on_request", "", reply)).await;
    let answer = edge.get("/plugin", &[]).await;
    assert_eq!(answer.status(), 418);
    assert_eq!(answer.headers()["x-plugin"], "1");
    assert_eq!(answer.text().await.unwrap(), "short and stout");
}

#[tokio::test]
async fn the_examples_work() {
    let file = Path::new(PLUGINS).join("built/experiments.wasm");
    let experiments = edge(&file, ", config: {name: search, variants: [old, new]}").await;
    let answer = experiments.get("/plugin", &[("x-experiment", "forged")]).await;
    let variant = answer.headers()["x-experiment"].to_str().unwrap().to_owned();
    assert!(["search=old", "search=new"].contains(&&*variant), "{variant}");
    assert_eq!(answer.json::<Value>().await.unwrap()["x-experiment"], *variant);

    let file = Path::new(PLUGINS).join("built/old_clients.wasm");
    let old = edge(&file, ", config: {app: SoukApp, min: \"2.4\"}").await;
    let status = async |agent| old.get("/plugin", &[("user-agent", agent)]).await.status();
    assert_eq!(status("SoukApp/2.10").await, 200);
    assert_eq!(status("SoukApp/2.3").await, 426);
}

#[tokio::test]
async fn a_plugin_that_fails_is_answered_with_500_for_its_route_only() {
    for (hook, body, reply) in [
        ("souk_on_request", "(loop $l (br $l))", ""),
        ("souk_on_response", "(loop $l (br $l))", ""),
        ("souk_on_request", "unreachable", ""),
        ("souk_on_request", "(drop (memory.grow (i32.const 1000)))", ""),
        ("souk_on_request", "", "no JSON"),
        ("souk_on_request", "", r#"{"set": {"x-user-id": "admin"}}"#),
        ("souk_on_request", "", r#"{"unknown": 1}"#),
    ] {
        let (edge, _folder) = edge_with(&module(hook, body, reply)).await;
        assert_problem(edge.json("/plugin", &[]).await, 500);
        assert_eq!(edge.json("/other", &[]).await.0, 200);
    }
}

#[tokio::test]
async fn other_routes_are_served_while_a_plugin_loops_under_load() {
    let (edge, _folder) = edge_with(&module("souk_on_request", "(loop $l (br $l))", "")).await;
    let loops = (0..20).map(|_| edge.json("/plugin", &[]));
    let others = async {
        for _ in 0..20 {
            let other = tokio::time::timeout(Duration::from_secs(2), edge.json("/other", &[]));
            assert_eq!(other.await.expect("a response in time").0, 200);
        }
    };
    let (looped, ()) = tokio::join!(futures::future::join_all(loops), others);
    for answer in looped {
        assert_problem(answer, 500);
    }
}

#[tokio::test]
async fn a_changed_file_replaces_the_plugin_and_a_broken_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plugin.wasm");
    let version = |number: u8| {
        let reply = format!(r#"{{"set": {{"x-version": "{number}"}}}}"#);
        write(&file, &module("souk_on_request", "", &reply));
    };
    version(1);
    // The metric is that of a policy, so its name must be that of no other test.
    let rest = rest(&file, "")
        .replace("{p: ", "{watched: ")
        .replace("[p]", "[watched]");
    let edge = front(Router::new().fallback(any(describe)), &rest).await;
    let until = async |expected: &str| {
        testkit::eventually("the plugin", Duration::from_secs(10), async || {
            (edge.json("/plugin", &[]).await.1["x-version"] == expected).then_some(())
        })
        .await;
    };
    until("1").await;
    version(2);
    until("2").await;
    std::fs::write(&file, "broken").unwrap();
    let refused = testkit::eventually("the refusal", Duration::from_secs(10), async || {
        let text = telemetry::metrics::encode();
        text.lines()
            .any(|line| {
                line.starts_with("gateway_plugin_refused{policy=\"watched\"}") && line.ends_with(" 1.0")
            })
            .then_some(())
    });
    refused.await;
    until("2").await;
    version(3);
    until("3").await;
}

#[test]
fn an_unusable_file_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plugin.wasm");
    let error = front_error(&rest(&file, ""));
    assert!(
        error.contains("line 4, column") && error.contains("cannot be used"),
        "{error}"
    );
    std::fs::write(&file, "broken").unwrap();
    let error = front_error(&rest(&file, ""));
    assert!(error.contains("no valid WebAssembly module"), "{error}");
    let good = module("souk_on_request", "", "");
    for (text, message) in [
        (
            good.replace("souk_on_request", "other"),
            "neither `souk_on_request`",
        ),
        (
            good.replace("(i32.const 1))", "(i32.const 2))"),
            "version 2 of the interface",
        ),
        (
            good.replace("\"memory\") 1", "\"memory\") 100"),
            "more memory than its limit",
        ),
        (
            good.replace("(module", "(module (import \"env\" \"open\" (func))"),
            "only `souk.log` exists",
        ),
    ] {
        write(&file, &text);
        let error = front_error(&rest(&file, ""));
        assert!(error.starts_with("line 4") && error.contains(message), "{error}");
    }
}
