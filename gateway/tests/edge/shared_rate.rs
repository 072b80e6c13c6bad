//! Quotas that replicas of the gateway share in Redis.

use std::time::{Duration, Instant};

use axum::{Router, routing::get};
use testkit::redis::OwnRedis;

use crate::harness::{Front, front, front_error};

/// A slow test machine has half a second for an answer of Redis.
fn rest(redis: &str, quota: u32) -> String {
    format!(
        "redis: {{url: \"{redis}\", timeout: 500ms}}
policies: {{p: [anonymous, {{rate: {{by: address, quota: {quota}, window: 10m, shared: redis}}}}]}}
unmatched: {{by: address, quota: 2, window: 10m, shared: redis}}
routes: {{x: {{match: {{path: /x, methods: [GET]}}, use: [p], to: backend}}}}"
    )
}

async fn replica(redis: &str, quota: u32) -> Front {
    let backend = Router::new().route("/x", get(|| async { "fine" }));
    front(backend, &rest(redis, quota)).await
}

async fn status(edge: &Front, client: &str) -> u16 {
    edge.get("/x", &[("x-forwarded-for", client)])
        .await
        .status()
        .as_u16()
}

fn unshared() -> f64 {
    let metrics = telemetry::metrics::encode();
    let line = metrics
        .lines()
        .find(|line| line.starts_with("gateway_rate_unshared_total{limit=\"p\"}"));
    line.map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn the_limits_of_one_policy_count_separately() {
    let redis = OwnRedis::start().await;
    let shared = |quota: u32, window: &str| {
        format!("{{rate: {{by: address, quota: {quota}, window: {window}, shared: redis}}}}")
    };
    let one = rest(&redis.url(), 1).replace(
        &shared(1, "10m"),
        &format!("{}, {}", shared(10, "1s"), shared(1000, "1h")),
    );
    let backend = Router::new().route("/x", get(|| async { "fine" }));
    let edge = front(backend, &one).await;
    for _ in 0..5 {
        assert_eq!(status(&edge, "192.0.2.1").await, 200);
    }
}

#[tokio::test]
async fn replicas_count_together() {
    let redis = OwnRedis::start().await;
    let (one, two) = (replica(&redis.url(), 5).await, replica(&redis.url(), 5).await);
    for _ in 0..2 {
        assert_eq!(status(&one, "192.0.2.1").await, 200);
        assert_eq!(status(&two, "192.0.2.1").await, 200);
    }
    let last = two.get("/x", &[("x-forwarded-for", "192.0.2.1")]).await;
    assert_eq!(last.status(), 200);
    assert_eq!(last.headers()["ratelimit-policy"], "\"p\";q=5;w=600");
    assert_eq!(last.headers()["ratelimit"], "\"p\";r=0;t=600");
    let refused = one.get("/x", &[("x-forwarded-for", "192.0.2.1")]).await;
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((115..=120).contains(&wait), "one of 5 requests in 600 s: {wait}");
    assert_eq!(status(&one, "192.0.2.2").await, 200, "another client");
    let nowhere = async |edge: &Front| edge.get("/nowhere", &[]).await.status();
    assert_eq!(nowhere(&one).await, 404);
    assert_eq!(nowhere(&two).await, 404);
    assert_eq!(nowhere(&one).await, 429);
}

#[tokio::test]
async fn a_quota_is_restored_evenly() {
    let redis = OwnRedis::start().await;
    let rest = rest(&redis.url(), 4).replacen("10m", "2s", 1);
    let edge = front(Router::new().route("/x", get(|| async { "fine" })), &rest).await;
    for _ in 0..4 {
        assert_eq!(status(&edge, "192.0.2.1").await, 200);
    }
    let started = Instant::now();
    let mut allowed = 0;
    while started.elapsed() < Duration::from_millis(2_100) {
        allowed += u32::from(status(&edge, "192.0.2.1").await == 200);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!((3..=5).contains(&allowed), "{allowed} in 2 s, at one each 500 ms");
}

#[tokio::test]
async fn without_redis_each_replica_counts_alone_and_nobody_gets_an_error() {
    let mut redis = OwnRedis::start().await;
    let (one, two) = (replica(&redis.url(), 3).await, replica(&redis.url(), 3).await);
    assert_eq!(status(&one, "192.0.2.1").await, 200);
    assert_eq!(status(&two, "192.0.2.1").await, 200);
    let before = unshared();
    redis.kill();
    let started = Instant::now();
    for edge in [&one, &two] {
        // One request was counted by this replica before.
        for expected in [200, 200, 429] {
            assert_eq!(status(edge, "192.0.2.1").await, expected);
        }
    }
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    assert!(unshared() >= before + 6.0);
    redis.restart().await;
    testkit::eventually("Redis is used again", Duration::from_secs(20), async || {
        // The data is lost, so the replicas share a new quota.
        (status(&one, "192.0.2.1").await == 200).then_some(())
    })
    .await;
    testkit::eventually("Redis is used again", Duration::from_secs(20), async || {
        let client = "192.0.2.3";
        for edge in [&one, &two, &one] {
            status(edge, client).await;
        }
        (status(&two, client).await == 429).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_hangs_or_never_was_there_delays_nobody() {
    let absent = replica("redis://127.0.0.1:1", 2).await;
    // It accepts connections, and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging = replica(&format!("redis://{}", silent.local_addr().unwrap()), 2).await;
    for edge in [&absent, &hanging] {
        let started = Instant::now();
        for expected in [200, 200, 429] {
            assert_eq!(status(edge, "192.0.2.1").await, expected);
        }
        assert!(
            started.elapsed() < Duration::from_millis(1_500),
            "{:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn a_reload_keeps_the_local_count_unless_the_server_changes() {
    let edge = replica("redis://127.0.0.1:1", 2).await;
    assert_eq!(
        (status(&edge, "192.0.2.1").await, status(&edge, "192.0.2.1").await),
        (200, 200)
    );
    edge.reload(&rest("redis://127.0.0.1:1", 2)).await;
    assert_eq!(status(&edge, "192.0.2.1").await, 429);
    edge.reload(&rest("redis://127.0.0.1:2", 2)).await;
    assert_eq!(status(&edge, "192.0.2.1").await, 200);
}

#[test]
fn invalid_settings_are_refused_with_their_place() {
    let valid = rest("redis://127.0.0.1:1", 2);
    let without = valid.lines().skip(1).collect::<Vec<_>>().join("\n");
    for (rest, message) in [
        (without, "line 5, column 57: a shared quota needs"),
        (
            valid.replace("redis://", "http://"),
            "line 4, column 14: this is not the URL",
        ),
        (
            valid.replace("shared: redis", "shared: kafka"),
            "unknown variant `kafka`",
        ),
        (valid.replace("500ms", "5"), "expected a time such as"),
    ] {
        let error = front_error(&rest);
        assert!(error.contains(message), "{error}");
    }
}
