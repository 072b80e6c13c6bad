//! Joined responses, which the gateway combines from those of several upstreams.

use serde_json::json;

use crate::harness::{assert_problem, edge};

#[tokio::test]
async fn parts_are_joined_and_unavailable_ones_are_named() {
    let edge = edge().await;
    let (status, answer) = edge.get("/joined/7").await;
    assert_eq!(status, 200, "{answer:#}");
    assert_eq!(answer["id"], "7");
    assert_eq!(answer["lines"][0]["offer"]["price"]["amount"], 5);
    assert_eq!(answer["lines"][1]["offer"]["price"]["amount"], 15);
    assert_eq!(answer["degraded"], json!(["broken", "unreachable"]));
    assert_eq!(
        edge.get("/joined/none").await.0,
        404,
        "the error of a required part is passed on"
    );
    assert_problem(edge.get("/hopeless").await, 503);
}

#[tokio::test]
async fn a_path_parameter_stays_one_value_in_a_query() {
    let edge = edge().await;
    let (_, answer) = edge.get("/query/x&admin=1%23").await;
    assert_eq!(answer["query"], "id=x%26admin%3D1%23");
    for path in ["/query/%ff", "/query/%2e%2e", "/query/..%2fadmin", "/query/a%00"] {
        let answer = edge
            .raw(&format!(
                "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
        assert!(answer.contains("application/problem+json"), "{path}: {answer}");
    }
}

/// The storefront polls joined responses, so each must make as few calls as possible.
#[tokio::test]
async fn a_joined_response_requests_each_part_once() {
    let edge = edge().await;
    let requests = async || {
        let (_, report) = edge.get("/upstreams").await;
        let items = report["items"].as_array().unwrap().clone();
        let of = |name: &str| {
            let item = items.iter().find(|item| item["name"] == name).unwrap();
            item["instances"][0]["requests"].as_u64().unwrap()
        };
        (of("backend"), of("grpc"))
    };
    let before = requests().await;
    for _ in 0..5 {
        assert_eq!(edge.get("/stocked/7").await.1["degraded"], json!([]));
    }
    let after = requests().await;
    assert_eq!(
        (after.0 - before.0, after.1 - before.1),
        (10, 5),
        "two HTTP parts and one gRPC part for each request"
    );
}
