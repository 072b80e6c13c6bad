//! Faults that the gateway injects.

use std::time::{Duration, Instant};

use axum::{Router, routing::get};

use crate::harness::{Front, assert_problem, front, front_error};

fn rest(rules: &str) -> String {
    format!(
        "policies: {{p: [anonymous, {{fault: {rules}}}]}}
routes: {{all: {{match: {{path: /x, methods: [GET]}}, use: [p], to: backend, deadline: 1s}}}}"
    )
}

async fn edge(rules: &str) -> Front {
    front(Router::new().route("/x", get(|| async { "fine" })), &rest(rules)).await
}

#[tokio::test]
async fn requests_are_delayed_at_most_until_their_deadline() {
    let delayed = edge("{share: 100%, delay: 300ms}").await;
    let started = Instant::now();
    assert_eq!(delayed.get("/x", &[]).await.text().await.unwrap(), "fine");
    assert!(started.elapsed() >= Duration::from_millis(300));
    let hopeless = edge("{share: 100%, delay: 1m}").await;
    let started = Instant::now();
    assert_problem(hopeless.json("/x", &[]).await, 504);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_part_of_the_requests_fails() {
    let always = edge("{share: 100%, abort: 418}").await;
    assert_problem(always.json("/x", &[]).await, 418);
    let half = edge("{share: 50%, abort: 503}").await;
    let mut failed = 0;
    for _ in 0..200 {
        failed += u32::from(half.get("/x", &[]).await.status() == 503);
    }
    assert!((50..150).contains(&failed), "{failed} of 200 failed");
}

#[test]
fn invalid_rules_are_refused_with_their_place() {
    for (rules, message) in [
        ("{share: 10%}", "a fault needs `delay`, `abort`, or both"),
        ("{share: 10%, abort: 200}", "`200` is not the status of an error"),
        ("{share: 0%, abort: 500}", "expected a part from 1% to 100%"),
        ("{share: 101%, abort: 500}", "expected a part from 1% to 100%"),
        ("{abort: 500}", "missing field `share`"),
    ] {
        let error = front_error(&rest(rules));
        assert!(
            error.starts_with("line 4, column") && error.contains(message),
            "{error}"
        );
    }
}
