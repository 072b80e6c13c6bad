//! Links that choose another upstream, or send copies to one.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, Method, Uri},
    routing::any,
};

use crate::harness::{Front, front_error, front_two};

fn named(name: &'static str) -> Router {
    Router::new().fallback(any(move |_: Bytes| async move { name }))
}

fn rest(links: &str) -> String {
    format!(
        "policies: {{p: [anonymous, {links}], cached: [{{cache: {{}}}}]}}
routes: {{all: {{match: {{path: \"/{{*path}}\", methods: [GET, POST]}}, use: [p, cached], to: backend}}}}"
    )
}

async fn edge(links: &str) -> Front {
    front_two(named("backend"), named("other"), &rest(links)).await
}

async fn text(edge: &Front, headers: &[(&str, &str)]) -> String {
    edge.get("/x", headers).await.text().await.unwrap()
}

#[tokio::test]
async fn clients_ask_for_another_upstream_by_a_field_or_a_cookie() {
    let by_header = edge("{canary: {to: other, header: X-Canary}}").await;
    assert_eq!(text(&by_header, &[("x-canary", "1")]).await, "other");
    let answer = by_header.get("/x", &[]).await;
    assert_eq!(answer.headers()["vary"], "x-canary");
    assert_eq!(answer.text().await.unwrap(), "backend");
    let by_cookie = edge("{canary: {to: other, cookie: canary}}").await;
    assert_eq!(text(&by_cookie, &[("cookie", "a=b; canary=on")]).await, "other");
    assert_eq!(
        text(&by_cookie, &[("cookie", "a=canary; not-canary=on")]).await,
        "backend"
    );
}

#[tokio::test]
async fn requests_are_distributed_by_weight() {
    let edge = edge("{split: {backend: 75, other: 25, down: 0}}").await;
    let mut others = 0;
    for _ in 0..200 {
        others += u32::from(text(&edge, &[]).await == "other");
    }
    assert!((20..90).contains(&others), "{others} of 200");
}

#[tokio::test]
async fn a_client_always_reaches_the_same_upstream() {
    let edge = edge("{split: {backend: 50, other: 50, by: user}}").await;
    let mut seen = BTreeSet::new();
    for client in 0..32 {
        let address = format!("192.0.2.{client}");
        let first = text(&edge, &[("x-forwarded-for", &address)]).await;
        for _ in 0..3 {
            assert_eq!(text(&edge, &[("x-forwarded-for", &address)]).await, first);
        }
        seen.insert(first);
    }
    assert_eq!(seen.len(), 2, "the clients are distributed");
}

#[tokio::test]
async fn a_canary_takes_precedence_and_a_cache_keeps_the_upstreams_apart() {
    let fresh = |name: &'static str| {
        let answer = move || async move { ([("cache-control", "max-age=60")], name) };
        Router::new().fallback(any(answer))
    };
    let (canary, split) = ("{canary: {to: other, header: x-canary}}", "{split: {backend: 1}}");
    let links = format!("{split}, {canary}");
    let other_order = front_two(fresh("backend"), fresh("other"), &rest(&links)).await;
    let links = format!("{canary}, {split}");
    let edge = front_two(fresh("backend"), fresh("other"), &rest(&links)).await;
    for edge in [&edge, &edge, &other_order] {
        assert_eq!(text(edge, &[("x-canary", "1")]).await, "other");
        assert_eq!(text(edge, &[]).await, "backend");
    }
    let hit = edge.get("/x", &[]).await;
    assert!(
        hit.headers()["cache-status"]
            .to_str()
            .unwrap()
            .starts_with("souk; hit")
    );
}

/// The method, the path, the body and a header field of the requests that an upstream has received.
type Received = Arc<Mutex<Vec<String>>>;

fn recorder(received: &Received, delay: Duration) -> Router {
    let received = Arc::clone(received);
    Router::new().fallback(any(
        move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            let kind = headers
                .get("content-type")
                .map_or("", |kind| kind.to_str().unwrap());
            let key = headers.contains_key("x-api-key");
            let text = format!("{method} {uri} {kind} {} {key}", body.len());
            received.lock().unwrap().push(text);
            tokio::time::sleep(delay).await;
        },
    ))
}

async fn until_received(received: &Received, count: usize) -> Vec<String> {
    testkit::eventually("the copies", Duration::from_secs(5), async || {
        let received = received.lock().unwrap().clone();
        (received.len() >= count).then_some(received)
    })
    .await
}

#[tokio::test]
async fn copies_of_requests_are_sent_to_another_upstream() {
    let received = Received::default();
    let links = "{body: 1MiB}, {mirror: {to: other}}";
    // The copies take longer than the requests, and no client waits for them.
    let other = recorder(&received, Duration::from_secs(2));
    let edge = front_two(named("backend"), other, &rest(links)).await;
    let started = Instant::now();
    let post = async |size: usize| {
        let request = edge.client.post(format!("{}/post?a=b", edge.url));
        let request = request
            .header("content-type", "text/plain")
            .header("x-api-key", "secret");
        request
            .body("x".repeat(size))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    assert_eq!(text(&edge, &[]).await, "backend");
    assert_eq!(post(10).await, "backend");
    assert_eq!(post(64 << 10).await, "backend");
    assert_eq!(post((64 << 10) + 1).await, "backend");
    assert!(post(2 << 20).await.contains("larger than"));
    assert!(
        started.elapsed() < Duration::from_millis(1500),
        "{:?}",
        started.elapsed()
    );
    let mut received = until_received(&received, 3).await;
    received.sort();
    let expected = [
        "GET /x  0 false",
        "POST /post?a=b text/plain 10 false",
        "POST /post?a=b text/plain 65536 false",
    ];
    assert_eq!(received, expected);
}

#[tokio::test]
async fn copies_are_limited_and_may_fail() {
    let received = Received::default();
    let other = recorder(&received, Duration::from_secs(30));
    let edge = front_two(named("backend"), other, &rest("{mirror: {to: other}}")).await;
    for _ in 0..100 {
        assert_eq!(text(&edge, &[]).await, "backend");
    }
    until_received(&received, 64).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(received.lock().unwrap().len(), 64);
    let down = self::edge("{mirror: {to: down}}").await;
    assert_eq!(text(&down, &[]).await, "backend");
    let some = Received::default();
    let other = recorder(&some, Duration::ZERO);
    let edge = front_two(
        named("backend"),
        other,
        &rest("{mirror: {to: other, share: 50%}}"),
    )
    .await;
    for _ in 0..100 {
        text(&edge, &[]).await;
    }
    let count = until_received(&some, 20).await.len();
    assert!(count < 80, "{count} of 100");
}

#[tokio::test]
async fn requests_that_a_later_link_refuses_are_not_copied() {
    let received = Received::default();
    let links = "{mirror: {to: other}}, {ip: {deny: [192.0.2.0/24]}}";
    let other = recorder(&received, Duration::ZERO);
    let edge = front_two(named("backend"), other, &rest(links)).await;
    assert_eq!(
        edge.get("/refused", &[("x-forwarded-for", "192.0.2.1")])
            .await
            .status(),
        403
    );
    assert_eq!(text(&edge, &[]).await, "backend");
    assert_eq!(until_received(&received, 1).await, ["GET /x  0 false"]);
}

#[test]
fn invalid_rules_are_refused_with_their_place() {
    for (link, message) in [
        ("{mirror: {to: nobody}}", "there is no upstream named `nobody`"),
        (
            "{mirror: {to: other, share: 0%}}",
            "expected a part from 1% to 100%",
        ),
        (
            "{canary: {to: nobody, header: x}}",
            "there is no upstream named `nobody`",
        ),
        (
            "{canary: {to: other}}",
            "a canary needs either `header` or `cookie`",
        ),
        (
            "{canary: {to: other, header: x, cookie: y}}",
            "a canary needs either `header` or `cookie`",
        ),
        (
            "{canary: {to: other, header: \"a b\"}}",
            "`a b` is not a valid name",
        ),
        (
            "{canary: {to: other, cookie: \"a;b\"}}",
            "`a;b` is not a valid name of a cookie",
        ),
        ("{split: {nobody: 1}}", "there is no upstream named `nobody`"),
        (
            "{split: {backend: 0, other: 0}}",
            "at least one weight must not be 0",
        ),
        ("{split: {backend: -1}}", "line 4"),
        ("{split: {backend: 1, by: color}}", "unknown variant `color`"),
    ] {
        let error = front_error(&rest(link));
        assert!(
            error.starts_with("line 4, column") && error.contains(message),
            "{link}: {error}"
        );
    }
    let local = rest("{split: {backend: 1}}").replace("to: backend", "local: healthz");
    let error = front_error(&local);
    assert!(
        error.starts_with("line 5, column") && error.contains("which need a route"),
        "{error}"
    );
}
