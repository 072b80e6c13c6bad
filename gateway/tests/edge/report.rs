//! The list of routes with their figures, for operators.

use std::time::Duration;

use axum::{Router, http::StatusCode, routing::get};
use serde_json::{Value, json};

use crate::harness::{Front, front};

const REST: &str = r#"
redis: {url: "redis://127.0.0.1:1"}
policies:
  open: [anonymous]
  scarce: [anonymous, {rate: {by: address, quota: 2, window: 60s}}]
  safe: [{in_flight: {max: 1, queue: 1, wait: 5s}}]
routes:
  hello:
    match: {path: "/hello/{id}", methods: [GET, POST], hosts: ["*.shop.test"], headers: {x-beta: "*"}, query: {page: "1"}}
    use: [open, safe]
    to: backend
    deadline: 3s
  slow: {match: {path: /slow, methods: [GET]}, use: [scarce, safe], to: backend}
  missing: {match: {path: /missing, methods: [GET]}, use: [open], to: backend}
  joined: {match: {path: /joined, methods: [GET]}, use: [open], aggregate: {parts: {one: {to: backend, path: /hello/1}, two: {to: backend, path: /hello/2}}}}
  moved: {match: {path: /moved, methods: [GET]}, use: [open], redirect: {to: /new}}
  routes: {match: {path: /routes, methods: [GET]}, use: [open], local: routes}
unmatched: {by: address, quota: 50, window: 60s, shared: redis}
"#;

async fn start() -> Front {
    let upstream = Router::new().route("/hello/{id}", get(async || "hello")).route(
        "/slow",
        get(async || {
            tokio::time::sleep(Duration::from_millis(400)).await;
            StatusCode::BAD_GATEWAY
        }),
    );
    front(upstream, REST).await
}

async fn report(edge: &Front) -> Value {
    let (status, report) = edge.json("/routes", &[]).await;
    assert_eq!(status, 200, "{report:#}");
    report
}

/// The entry of the list with this name.
fn route<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut items = report["items"].as_array().unwrap().iter();
    items
        .find(|item| item["name"] == name)
        .unwrap_or_else(|| panic!("{name}: {report:#}"))
}

#[tokio::test]
async fn routes_are_listed_with_their_rules() {
    let edge = start().await;
    let report = report(&edge).await;
    let mut hello = route(&report, "hello").clone();
    hello["figures"].take();
    assert_eq!(
        hello,
        json!({
            "name": "hello",
            "match": {
                "hosts": ["*.shop.test"],
                "path": "/hello/{id}",
                "methods": ["GET", "POST"],
                "scheme": null,
                "headers": {"x-beta": "*"},
                "query": {"page": "1"},
            },
            "policies": [{"name": "open", "links": ["anonymous"]}, {"name": "safe", "links": ["in_flight"]}],
            "action": {"kind": "forward", "upstreams": ["backend"], "detail": null},
            "deadline_ms": 3000,
            "figures": null,
            "limits": [{"upstream": "backend", "max": 1, "queue": 1, "in_flight": 0, "queued": 0, "refused": 0}],
        })
    );
    let action = |name: &str| route(&report, name)["action"].clone();
    assert_eq!(
        action("joined"),
        json!({"kind": "aggregate", "upstreams": ["backend"], "detail": null})
    );
    assert_eq!(
        action("moved"),
        json!({"kind": "redirect", "upstreams": [], "detail": "/new"})
    );
    assert_eq!(
        action("routes"),
        json!({"kind": "local", "upstreams": [], "detail": "routes"})
    );
    let names: Vec<_> = report["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["name"])
        .collect();
    assert_eq!(names, ["hello", "joined", "missing", "moved", "routes", "slow"]);
    let unused = json!({
        "requests_per_second": 0.0, "client_error_rate": 0.0, "server_error_rate": 0.0, "p50_ms": null, "p99_ms": null,
    });
    assert_eq!(route(&report, "joined")["figures"], unused);
}

#[tokio::test]
async fn figures_of_recent_requests_survive_a_reload() {
    let edge = start().await;
    for _ in 0..3 {
        assert_eq!(edge.get("/missing", &[]).await.status(), 404);
    }
    assert_eq!(edge.get("/slow", &[]).await.status(), 502);
    assert_eq!(edge.get("/moved", &[]).await.status(), 308);
    edge.reload(&REST.replace("/moved", "/moved-again")).await;
    let report = report(&edge).await;

    let figures = |name: &str| route(&report, name)["figures"].clone();
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!(figures("missing")["client_error_rate"], 1.0);
    assert_eq!(figures("missing")["server_error_rate"], 0.0);
    assert_eq!(figures("slow")["server_error_rate"], 1.0);
    assert!(
        (350.0..1_000.0).contains(&number(&figures("slow")["p50_ms"])),
        "{report:#}"
    );
    assert!(number(&figures("missing")["p99_ms"]) < 350.0, "{report:#}");
    let (missing, slow) = (figures("missing"), figures("slow"));
    let (missing, slow) = (&missing["requests_per_second"], &slow["requests_per_second"]);
    assert!((number(missing) / number(slow) - 3.0).abs() < 0.01, "{report:#}");

    let total = &report["total"];
    assert_eq!(total["client_error_rate"], 0.6, "{report:#}");
    assert_eq!(total["server_error_rate"], 0.2, "{report:#}");
    assert!((350.0..1_000.0).contains(&number(&total["p99_ms"])), "{report:#}");
    assert!(number(&total["p50_ms"]) < 350.0, "{report:#}");
    assert!(
        (number(&total["requests_per_second"]) / number(slow) - 5.0).abs() < 0.01,
        "{report:#}"
    );
}

#[tokio::test]
async fn limits_show_what_is_in_flight_queued_and_rejected() {
    let edge = start().await;
    let policy = |report: &Value| {
        let mut quotas = report["quotas"].as_array().unwrap().iter();
        quotas.find(|quota| quota["policy"] == "scarce").cloned().unwrap()
    };
    let before = report(&edge).await;
    assert_eq!(
        policy(&before)["rules"],
        json!([{"by": "address", "quota": 2, "window_seconds": 60.0, "is_shared": false}])
    );
    let quotas = before["quotas"].as_array().unwrap();
    let unmatched = quotas.last().unwrap();
    assert_eq!(unmatched["policy"], "unmatched", "{before:#}");
    assert_eq!(unmatched["rules"][0]["is_shared"], true, "{before:#}");
    let requests = [edge.get("/slow", &[]), edge.get("/slow", &[])];
    let watch = async {
        testkit::eventually(
            "a call is in flight and another is queued",
            Duration::from_secs(5),
            async || {
                let report = report(&edge).await;
                let limit = &route(&report, "slow")["limits"][0];
                (limit["in_flight"] == 1 && limit["queued"] == 1).then_some(())
            },
        )
        .await;
    };
    let (_, ()) = tokio::join!(futures::future::join_all(requests), watch);
    assert_eq!(edge.get("/slow", &[]).await.status(), 429);
    let after = report(&edge).await;
    let limit = &route(&after, "slow")["limits"][0];
    assert_eq!(
        (&limit["in_flight"], &limit["queued"]),
        (&json!(0), &json!(0)),
        "{limit}"
    );
    let refused = |report: &Value| policy(report)["refused"].clone();
    assert_eq!(
        (refused(&before), refused(&after)),
        (json!(0), json!(1)),
        "{after:#}"
    );
}
