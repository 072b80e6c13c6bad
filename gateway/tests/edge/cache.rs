//! The shared cache: what is stored, for how long, and for whom.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};

use crate::harness::{Front, assert_problem, front, front_error};

#[derive(Clone, Default)]
struct Upstream {
    calls: Arc<AtomicU32>,
    fails: Arc<AtomicU32>,
}

/// Responds with the number of the call, and with header fields that depend on the path.
async fn respond(
    State(upstream): State<Upstream>,
    Path(path): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let call = upstream.calls.fetch_add(1, Ordering::SeqCst) + 1;
    let value = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
    if upstream.fails.load(Ordering::SeqCst) > 0 {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    if path.starts_with("slow") {
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    let fields = |fields: &[(&'static str, &str)]| {
        let mut response = format!("{method} {call}").into_response();
        for (name, value) in fields {
            response.headers_mut().append(*name, value.parse().unwrap());
        }
        response
    };
    let fresh = ("cache-control", "max-age=60");
    match path.split('/').next().unwrap() {
        "fresh" | "slow" => fields(&[fresh, ("etag", "\"v1\""), ("link", "<a>"), ("link", "<b>")]),
        "short" => fields(&[("cache-control", "max-age=1, stale-if-error=60")]),
        "strict" => fields(&[("cache-control", "max-age=1, must-revalidate, stale-if-error=60")]),
        "brief" => fields(&[("cache-control", "max-age=1")]),
        "tagged" if value("if-none-match") == "\"v1\"" => {
            let mut response = StatusCode::NOT_MODIFIED.into_response();
            response.headers_mut().insert("etag", "\"v1\"".parse().unwrap());
            response
                .headers_mut()
                .insert("cache-control", "max-age=1".parse().unwrap());
            response
        }
        "tagged" => fields(&[("cache-control", "max-age=1"), ("etag", "\"v1\"")]),
        "greeting" => {
            let cookie = format!("s={call}");
            let mut response = fields(&[("cache-control", "max-age=1"), ("etag", "\"v1\"")]);
            if value("if-none-match") == "\"v1\"" {
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                response
                    .headers_mut()
                    .insert("set-cookie", cookie.parse().unwrap());
            }
            response
        }
        "welcome" => fields(&[
            ("cache-control", "no-store"),
            ("etag", "\"v1\""),
            ("set-cookie", "s=1"),
        ]),
        "old" => fields(&[("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")]),
        "dated" if !value("if-modified-since").is_empty() => StatusCode::NOT_MODIFIED.into_response(),
        "dated" => fields(&[
            ("cache-control", "no-cache"),
            ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ]),
        "language" => {
            let mut response = fields(&[fresh, ("vary", "accept-language")]);
            *response.body_mut() = Body::from(format!("{} {call}", value("accept-language")));
            response
        }
        "cookie" => fields(&[fresh, ("cache-control", "public"), ("set-cookie", "a=b")]),
        "private" => fields(&[("cache-control", "private, max-age=60")]),
        "no-store" | "slow-no-store" => fields(&[("cache-control", "no-store, max-age=60")]),
        "public" => fields(&[("cache-control", "public, max-age=60")]),
        "shared" => fields(&[("cache-control", "s-maxage=60")]),
        "plain" => fields(&[]),
        "broken" => {
            let parts = [Ok("begin"), Err(std::io::Error::other("the end"))];
            let mut response = Body::from_stream(futures::stream::iter(parts)).into_response();
            response
                .headers_mut()
                .insert("cache-control", "max-age=60".parse().unwrap());
            response
        }
        "chunked" => {
            let parts = [format!("{call} "), "b".repeat(1000)].map(Ok::<_, std::io::Error>);
            let mut response = Body::from_stream(futures::stream::iter(parts)).into_response();
            response
                .headers_mut()
                .insert("cache-control", "max-age=60".parse().unwrap());
            response
        }
        "large" => {
            let parts = (0..300).map(|_| Ok::<_, std::io::Error>("x".repeat(4 << 10)));
            let mut response = Body::from_stream(futures::stream::iter(parts)).into_response();
            response
                .headers_mut()
                .insert("cache-control", "max-age=60".parse().unwrap());
            response
        }
        "missing" => (StatusCode::NOT_FOUND, fields(&[fresh])).into_response(),
        other => panic!("{other}"),
    }
}

struct Edge {
    front: Front,
    upstream: Upstream,
}

const ROUTES: &str = "
routes:
  all: {match: {path: \"/{*path}\", methods: [GET, POST]}, use: [p], to: backend, deadline: 3s}
  change: {match: {path: \"/fresh/changed\", methods: [GET, PUT]}, use: [p], to: backend}
";

async fn edge(rules: &str) -> Edge {
    let upstream = Upstream::default();
    let router = Router::new()
        .route("/{*path}", any(respond))
        .with_state(upstream.clone());
    let rest = format!("policies: {{p: [anonymous, {{cache: {rules}}}]}}{ROUTES}");
    Edge {
        front: front(router, &rest).await,
        upstream,
    }
}

impl Edge {
    /// Status, `Cache-Status` and text of a response.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
        let answer = self.front.get(path, headers).await;
        let status = answer.headers().get("cache-status");
        let status = status.map_or(String::new(), |status| status.to_str().unwrap().to_owned());
        (answer.status().as_u16(), status, answer.text().await.unwrap())
    }

    async fn text(&self, path: &str, headers: &[(&str, &str)]) -> String {
        self.get(path, headers).await.2
    }

    fn calls(&self) -> u32 {
        self.upstream.calls.load(Ordering::SeqCst)
    }
}

fn ok(status: &str, text: &str) -> (u16, String, String) {
    (200, status.to_owned(), text.to_owned())
}

/// Waits until a response with `max-age=1` is stale.
async fn until_stale() {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
}

#[tokio::test]
async fn a_hit_does_not_reach_the_upstream() {
    let edge = edge("{}").await;
    let miss = edge.front.get("/fresh/1", &[]).await;
    assert_eq!(
        miss.headers()["cache-status"],
        "souk; fwd=uri-miss; fwd-status=200; stored"
    );
    assert!(!miss.headers().contains_key("age"));
    assert_eq!(miss.text().await.unwrap(), "GET 1");
    let hit = edge.front.get("/fresh/1", &[]).await;
    let status = hit.headers()["cache-status"].to_str().unwrap();
    assert!(
        status == "souk; hit; ttl=60" || status == "souk; hit; ttl=59",
        "{status}"
    );
    assert!(hit.headers().contains_key("age"));
    assert_eq!(
        hit.headers().get_all("link").iter().count(),
        2,
        "no field is lost"
    );
    assert_eq!(hit.headers().get_all("x-request-id").iter().count(), 1);
    assert_eq!(hit.text().await.unwrap(), "GET 1");
    let head = edge.front.client.head(format!("{}/fresh/1", edge.front.url));
    let head = head.send().await.unwrap();
    assert_eq!(head.headers()["content-length"], "5");
    assert!(
        head.headers()["cache-status"]
            .to_str()
            .unwrap()
            .starts_with("souk; hit")
    );
    assert_eq!(edge.calls(), 1);
    assert_eq!(edge.text("/fresh/1?page=2", &[]).await, "GET 2", "another query");
    assert_eq!(
        edge.text("/fresh/1", &[("host", "other.test")]).await,
        "GET 3",
        "another host"
    );
    assert_eq!(
        edge.text("/chunked/1", &[]).await,
        format!("4 {}", "b".repeat(1000))
    );
    assert_eq!(
        edge.text("/chunked/1", &[]).await,
        format!("4 {}", "b".repeat(1000))
    );
    assert_eq!(edge.get("/missing/1", &[]).await.0, 404);
    let (status, cache, text) = edge.get("/missing/1", &[]).await;
    assert!(
        status == 404 && cache.starts_with("souk; hit") && text == "GET 5",
        "{cache}, {text}"
    );
}

#[tokio::test]
async fn what_is_meant_for_one_client_is_not_stored() {
    let edge = edge("{}").await;
    for path in ["/cookie/1", "/private/1", "/no-store/1", "/plain/1"] {
        let before = edge.calls();
        for _ in 0..2 {
            let (status, cache, _) = edge.get(path, &[]).await;
            assert_eq!(
                (status, &*cache),
                (200, "souk; fwd=uri-miss; fwd-status=200"),
                "{path}"
            );
        }
        assert_eq!(edge.calls(), before + 2, "{path}");
    }
    let authorized = [("authorization", "Bearer one")];
    let calls = async |path: &str| {
        let before = edge.calls();
        edge.get(path, &authorized).await;
        edge.get(path, &authorized).await;
        edge.calls() - before
    };
    assert_eq!(calls("/fresh/secret").await, 2);
    assert_eq!(calls("/public/1").await, 1);
    assert_eq!(calls("/shared/1").await, 1);
    assert_eq!(
        edge.text("/fresh/3", &[("cache-control", "no-store")]).await,
        "GET 13"
    );
    assert_eq!(
        edge.text("/fresh/3", &[]).await,
        "GET 14",
        "the client asked not to store it"
    );
}

#[tokio::test]
async fn a_client_that_has_the_response_gets_304() {
    let edge = edge("{}").await;
    for expected in ["fwd=uri-miss", "hit"] {
        let known = [("if-none-match", "\"v0\", W/\"v1\"")];
        let answer = edge.front.get("/fresh/1", &known).await;
        assert_eq!(answer.status(), 304);
        assert!(
            answer.headers()["cache-status"]
                .to_str()
                .unwrap()
                .contains(expected)
        );
        assert_eq!(answer.headers()["etag"], "\"v1\"");
        assert_eq!(answer.text().await.unwrap(), "");
    }
    assert_eq!(edge.get("/fresh/1", &[("if-none-match", "\"v0\"")]).await.0, 200);
    assert_eq!(edge.calls(), 1);
    let since = |date| [("if-modified-since", date)];
    let later = since("Mon, 07 Nov 1994 08:49:37 GMT");
    assert_eq!(edge.get("/dated/1", &later).await.0, 304);
    let earlier = since("Sat, 05 Nov 1994 08:49:37 GMT");
    assert_eq!(edge.get("/dated/1", &earlier).await.0, 200);
}

#[tokio::test]
async fn stale_responses_are_revalidated() {
    let edge = edge("{}").await;
    assert_eq!(edge.text("/tagged/1", &[]).await, "GET 1");
    until_stale().await;
    assert_eq!(
        edge.get("/tagged/1", &[]).await,
        ok("souk; fwd=stale; fwd-status=304; stored", "GET 1")
    );
    assert!(
        edge.get("/tagged/1", &[]).await.1.starts_with("souk; hit"),
        "it is fresh again"
    );
    assert_eq!(edge.calls(), 2);
    // A client may ask for a revalidation.
    assert_eq!(
        edge.get("/tagged/1", &[("cache-control", "no-cache")]).await,
        ok("souk; fwd=request; fwd-status=304; stored", "GET 1")
    );
    assert_eq!(edge.text("/brief/1", &[]).await, "GET 4");
    until_stale().await;
    assert_eq!(
        edge.get("/brief/1", &[]).await,
        ok("souk; fwd=stale; fwd-status=200; stored", "GET 5"),
        "without a validator, it is requested again"
    );
    let dated = ok("souk; fwd=stale; fwd-status=304; stored", "GET 6");
    edge.get("/dated/1", &[]).await;
    assert_eq!(
        edge.get("/dated/1", &[]).await,
        dated,
        "`no-cache` is revalidated each time"
    );
    assert_eq!(edge.get("/dated/1", &[]).await, dated);
}

#[tokio::test]
async fn a_cookie_of_a_revalidation_is_for_its_client_only() {
    let edge = edge("{}").await;
    let cookies = async || {
        let answer = edge.front.get("/greeting/1", &[]).await;
        assert_eq!(answer.status(), 200);
        let cookies = answer.headers().get_all("set-cookie").iter();
        cookies
            .map(|cookie| cookie.to_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(cookies().await, [""; 0]);
    until_stale().await;
    assert_eq!(cookies().await, ["s=2"]);
    assert_eq!(cookies().await, [""; 0]);
    until_stale().await;
    assert_eq!(cookies().await, ["s=3"]);
}

#[tokio::test]
async fn a_response_that_the_client_has_already_keeps_its_cookie() {
    let edge = edge("{}").await;
    let answer = edge.front.get("/welcome/1", &[("if-none-match", "\"v1\"")]).await;
    assert_eq!(answer.status(), 304);
    assert_eq!(answer.headers()["set-cookie"], "s=1");
}

#[tokio::test]
async fn a_response_that_does_not_say_how_long_it_is_fresh_is_not_fresh() {
    let edge = edge("{}").await;
    assert_eq!(edge.text("/old/1", &[]).await, "GET 1");
    assert_eq!(edge.text("/old/1", &[]).await, "GET 2");
}

#[tokio::test]
async fn responses_vary_by_the_named_fields() {
    let edge = edge("{}").await;
    let text = async |language| edge.text("/language/1", &[("accept-language", language)]).await;
    assert_eq!(text("de").await, "de 1");
    assert_eq!(text("en").await, "en 2");
    assert_eq!(text("de").await, "de 1");
    assert_eq!(text("en").await, "en 2");
}

#[tokio::test]
async fn a_stale_response_is_better_than_an_error_if_allowed() {
    let edge = edge("{stale_if_error: 1m}").await;
    let other = self::edge("{}").await;
    for path in ["/short/1", "/strict/1", "/brief/1"] {
        assert_eq!(edge.get(path, &[]).await.0, 200);
        assert_eq!(other.get(path, &[]).await.0, 200);
    }
    until_stale().await;
    edge.upstream.fails.store(1, Ordering::SeqCst);
    other.upstream.fails.store(1, Ordering::SeqCst);
    assert_eq!(
        edge.get("/short/1", &[]).await,
        ok("souk; fwd=stale; fwd-status=500", "GET 1")
    );
    assert_eq!(
        other.get("/short/1", &[]).await,
        ok("souk; fwd=stale; fwd-status=500", "GET 1")
    );
    assert_eq!(edge.get("/strict/1", &[]).await.0, 500, "`must-revalidate`");
    assert_eq!(
        edge.get("/brief/1", &[]).await,
        ok("souk; fwd=stale; fwd-status=500", "GET 3")
    );
    assert_eq!(other.get("/brief/1", &[]).await.0, 500, "the default is not to");
    edge.upstream.fails.store(0, Ordering::SeqCst);
    assert_eq!(
        edge.get("/brief/1", &[]).await.1,
        "souk; fwd=stale; fwd-status=200; stored"
    );
}

#[tokio::test]
async fn equal_requests_share_one_call() {
    let edge = edge("{}").await;
    let all = futures::future::join_all((0..20).map(|_| edge.get("/slow/1", &[]))).await;
    assert_eq!(edge.calls(), 1);
    let collapsed = all
        .iter()
        .filter(|(_, status, _)| status == "souk; fwd=uri-miss; collapsed")
        .count();
    assert_eq!(collapsed, 19, "{all:?}");
    assert!(
        all.iter()
            .all(|(status, _, text)| (*status, text.as_str()) == (200, "GET 1"))
    );

    // If it turns out that the response cannot be stored, the waiting requests go on.
    let started = std::time::Instant::now();
    for _ in 0..2 {
        let requests = (0..10).map(|_| edge.get("/slow-no-store/1", &[]));
        let all = futures::future::join_all(requests).await;
        assert!(all.iter().all(|(status, _, _)| *status == 200));
    }
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(edge.calls(), 21);
}

#[tokio::test]
async fn the_others_continue_if_the_first_client_leaves() {
    let edge = edge("{}").await;
    let first = edge.front.client.get(format!("{}/slow/1", edge.front.url));
    let first = first.timeout(Duration::from_millis(150)).send();
    let (first, second) = tokio::join!(first, async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        edge.get("/slow/1", &[]).await
    });
    assert!(first.is_err());
    assert_eq!(second, ok("souk; fwd=uri-miss; fwd-status=200; stored", "GET 2"));
}

#[tokio::test]
async fn a_change_removes_what_is_stored() {
    let edge = edge("{}").await;
    assert_eq!(edge.text("/fresh/1", &[]).await, "GET 1");
    let post = edge
        .front
        .client
        .post(format!("{}/fresh/1", edge.front.url))
        .send()
        .await
        .unwrap();
    assert_eq!(post.headers()["cache-status"], "souk; fwd=method");
    assert_eq!(post.text().await.unwrap(), "POST 2");
    assert_eq!(edge.text("/fresh/1", &[]).await, "GET 3");
    edge.upstream.fails.store(1, Ordering::SeqCst);
    edge.front
        .client
        .post(format!("{}/fresh/1", edge.front.url))
        .send()
        .await
        .unwrap();
    edge.upstream.fails.store(0, Ordering::SeqCst);
    assert_eq!(
        edge.text("/fresh/1", &[]).await,
        "GET 3",
        "a failed change changes nothing"
    );
}

#[tokio::test]
async fn large_and_broken_responses_are_passed_on_but_not_stored() {
    let edge = edge("{}").await;
    for _ in 0..2 {
        let (status, cache, text) = edge.get("/large/1", &[]).await;
        assert_eq!((status, &*cache), (200, "souk; fwd=uri-miss; fwd-status=200"));
        assert_eq!(text.len(), 300 * (4 << 10));
    }
    let answer = edge.front.json("/broken/1", &[]).await;
    assert_problem(answer, 502);
    assert_eq!(edge.calls(), 3);
    let ranged = edge.get("/fresh/1", &[("range", "bytes=0-1")]).await;
    assert_eq!(ranged, ok("souk; fwd=bypass", "GET 4"));
    let only = edge
        .front
        .json("/fresh/2", &[("cache-control", "only-if-cached")])
        .await;
    assert_problem(only, 504);
}

#[tokio::test]
async fn stored_responses_survive_a_reload_unless_the_rules_change() {
    let edge = edge("{}").await;
    let rest = |rules: &str| format!("policies: {{p: [anonymous, {{cache: {rules}}}], new: []}}{ROUTES}");
    assert_eq!(edge.text("/fresh/1", &[]).await, "GET 1");
    edge.front.reload(&rest("{}")).await;
    assert_eq!(edge.text("/fresh/1", &[]).await, "GET 1");
    edge.front.reload(&rest("{max: 8MiB}")).await;
    assert_eq!(edge.text("/fresh/1", &[]).await, "GET 2");
}

#[tokio::test]
async fn memory_is_bounded() {
    let edge = edge("{max: 1MiB}").await;
    for number in 0..1_000 {
        assert_eq!(edge.get(&format!("/chunked/{number}"), &[]).await.0, 200);
    }
    let mut hits = 0;
    for number in 0..1_000 {
        let (_, status, _) = edge
            .get(
                &format!("/chunked/{number}"),
                &[("cache-control", "only-if-cached")],
            )
            .await;
        hits += u32::from(status.starts_with("souk; hit"));
    }
    // Each takes about 3 KiB.
    assert!((100..600).contains(&hits), "{hits} of 1000 are stored");
}

#[test]
fn invalid_rules_are_refused_with_their_place() {
    let error = |policy: &str| front_error(&format!("policies: {{p: {policy}}}{ROUTES}"));
    let unknown = error("[anonymous, {cache: {size: 1MiB}}]");
    assert!(
        unknown.starts_with("line 4, column") && unknown.contains("`size`"),
        "{unknown}"
    );
    let twice = error("[anonymous, {cache: {}}, {cache: {}}]");
    assert!(
        twice.starts_with("line 6, column") && twice.contains("more than one `cache`"),
        "{twice}"
    );
    let early = error("[anonymous, {cache: {}}, {ip: {deny: []}}]");
    assert!(
        early.starts_with("line 6, column") && early.contains("`cache` comes before"),
        "{early}"
    );
}
