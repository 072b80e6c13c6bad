//! Requests that fail or are slow are sent to another instance.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{Router, routing::any};
use gateway::config::Config;
use serde_json::{Value, json};

use crate::{
    fleet::{Edge, Service, edge, services},
    harness::{free_port, listen_at},
};

const RETRY: &str = "{retry: {max: 2, budget: 20%, backoff: 1ms..2ms}}";

fn addresses<const N: usize>(services: &[Service; N]) -> [SocketAddr; N] {
    services.each_ref().map(|one| one.address)
}

async fn status(edge: &Edge, method: &str, headers: &[(&str, &str)], body: &str) -> u16 {
    let mut request = edge.request(method, "/x").body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    if status == 200 {
        assert_eq!(answer.text().await.unwrap(), body);
    }
    status
}

#[tokio::test]
async fn an_idempotent_request_is_sent_to_another_instance_with_its_body() {
    for failure in [502, 503, 504, 0] {
        let all: [_; 2] = services().await;
        all[0].respond_with(failure);
        let edge = edge(&addresses(&all), "balance: round_robin", RETRY);
        for number in 0..6 {
            let body = number.to_string();
            assert_eq!(status(&edge, "PUT", &[], &body).await, 200);
            assert_eq!(
                status(&edge, "POST", &[("idempotency-key", "k")], &body).await,
                200
            );
        }
        for _ in 0..4 {
            let joined = edge.request("GET", "/joined").send().await.unwrap();
            let joined: Value = joined.json().await.unwrap();
            assert_eq!(joined, json!({"part": {}, "degraded": []}));
        }
        assert!(all[0].hits() >= 4, "it is tried first by some requests");
    }
}

#[tokio::test]
async fn other_requests_and_other_failures_are_not_sent_again() {
    let all: [_; 2] = services().await;
    for one in &all {
        one.respond_with(502);
    }
    let edge = edge(&addresses(&all), "", RETRY);
    let hits = || all[0].hits() + all[1].hits();
    assert_eq!(status(&edge, "POST", &[], "x").await, 502);
    assert_eq!(hits(), 1, "not idempotent");
    assert_eq!(status(&edge, "PUT", &[], &"x".repeat(64 << 10)).await, 502);
    assert_eq!(hits(), 4, "three tries");
    assert_eq!(edge.request("GET", "/stream").send().await.unwrap().status(), 502);
    assert_eq!(hits(), 5, "a stream");
    for one in &all {
        one.respond_with(500);
    }
    assert_eq!(edge.get(1).await, [(500, 1)].into());
    assert_eq!(hits(), 6, "500 is a bug of the service");
    for one in &all {
        one.respond_with(503);
        one.shed();
    }
    assert_eq!(edge.get(1).await, [(503, 1)].into());
    assert_eq!(hits(), 7, "the service is protecting itself");
}

#[tokio::test]
async fn a_request_that_could_not_connect_is_sent_again_whatever_its_method() {
    let address = free_port();
    let edge = edge(&[address], "", "{retry: {max: 20, backoff: 100ms..100ms}}");
    let start = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let app = Router::new().fallback(any(|body: String| async { body }));
        let listener = listen_at(address);
        tokio::spawn(async move { axum::serve(listener, app).await });
    };
    let (answer, ()) = tokio::join!(status(&edge, "POST", &[], "body"), start);
    assert_eq!(answer, 200);
}

#[tokio::test]
async fn a_try_that_takes_too_long_is_given_up_for_another_instance() {
    let all: [_; 2] = services().await;
    all[0].delay(Duration::from_mins(1));
    let edge = edge(
        &addresses(&all),
        "balance: round_robin",
        "{retry: {per_try: 200ms, backoff: 1ms..2ms}}",
    );
    let started = Instant::now();
    assert_eq!(edge.get(4).await, [(200, 4)].into());
    assert!(started.elapsed() >= Duration::from_millis(400));
    assert_eq!(all[0].hits(), 2);
}

#[tokio::test]
async fn retries_add_at_most_a_fifth_to_the_load_of_an_upstream_that_fails() {
    let all: [_; 2] = services().await;
    for one in &all {
        one.respond_with(503);
    }
    let edge = edge(&addresses(&all), "", RETRY);
    let send = async |_| {
        for _ in 0..100 {
            assert_eq!(edge.get(1).await, [(503, 1)].into());
        }
    };
    futures::future::join_all((0..10).map(send)).await;
    let hits = all[0].hits() + all[1].hits();
    assert!((1100..=1200).contains(&hits), "{hits} for 1000 requests");
    let denied = format!(
        "gateway_resends_denied_total{{route=\"x\",upstream=\"{}\"}} ",
        edge.upstream
    );
    let metrics = telemetry::metrics::encode();
    let line = metrics.lines().find(|line| line.starts_with(&denied)).unwrap();
    assert!(!line.ends_with(" 0"), "{line}");
}

#[tokio::test]
async fn the_breaker_counts_each_try() {
    let all: [_; 2] = services().await;
    for one in &all {
        one.respond_with(503);
    }
    let breaker = "{breaker: {window: 10s, min_calls: 5, failures: 50%, slow: {over: 2s, share: 80%}, open: 30s, probes: 1}}";
    let edge = edge(&addresses(&all), "", &format!("{breaker}, {RETRY}"));
    let first = edge.request("GET", "/x").send().await.unwrap();
    assert!(!first.headers().contains_key("retry-after"), "from the service");
    // The second request opens the breaker with its second try.
    let second = edge.request("GET", "/x").send().await.unwrap();
    assert!(
        !second.headers().contains_key("retry-after"),
        "still from the service"
    );
    let third = edge.request("GET", "/x").send().await.unwrap();
    assert!(third.headers().contains_key("retry-after"), "from the breaker");
    assert_eq!(all[0].hits() + all[1].hits(), 5);
}

#[tokio::test]
async fn a_second_instance_answers_for_a_slow_one() {
    let all: [_; 2] = services().await;
    all[0].delay(Duration::from_secs(4));
    let edge = edge(
        &addresses(&all),
        "balance: round_robin",
        "{hedge: {after: 100ms}}",
    );
    let started = Instant::now();
    assert_eq!(edge.get(4).await, [(200, 4)].into());
    let took = started.elapsed();
    assert!((200..2000).contains(&took.as_millis()), "{took:?}");
    assert_eq!((all[0].hits(), all[1].hits()), (2, 4));
    let series = format!(
        "gateway_calls_resent_total{{route=\"x\",upstream=\"{}\",reason=\"hedge\"}} 2",
        edge.upstream
    );
    assert!(telemetry::metrics::encode().contains(&series));

    // If the second one fails, the first one is waited for.
    all[1].respond_with(502);
    all[0].delay(Duration::from_millis(500));
    let slow = async {
        loop {
            let before = all[0].hits();
            let (answer, first) = (edge.get(1).await, all[0].hits() > before);
            if first {
                return answer;
            }
        }
    };
    assert_eq!(slow.await, [(200, 1)].into());
    // A request that changes something has only one instance.
    let hits = || all[0].hits() + all[1].hits();
    let before = hits();
    status(&edge, "PUT", &[], "x").await;
    assert_eq!(hits(), before + 1);
}

#[test]
fn a_backoff_is_a_range_of_times() {
    for (text, is_valid) in [
        ("25ms..250ms", true),
        ("250ms..25ms", false),
        ("25ms", false),
        ("1..2", false),
    ] {
        let yaml = format!(
            "version: 1\nlisteners: {{}}\nupstreams: {{}}\npolicies: {{a: [{{retry: {{backoff: {text}}}}}]}}\nroutes: {{}}\n"
        );
        assert_eq!(Config::parse(&yaml, |_| None).is_ok(), is_valid, "{text}");
    }
}
