//! The gateway on a real socket, in front of upstreams that the test plays.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

use std::{net::SocketAddr, sync::OnceLock, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{any, get, post},
};
use gateway::{Gateway, config::Config, listen};
use serde_json::{Value, json};
use testkit::auth::Issuer;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A gateway that runs as long as this lives.
struct Edge {
    url: String,
    issuer: Issuer,
    client: reqwest::Client,
    _stop: tokio_util::sync::DropGuard,
}

/// What an upstream was sent, as JSON.
async fn echo(headers: HeaderMap, body: String) -> Json<Value> {
    let headers: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().into()))
        .collect();
    Json(json!({"headers": headers, "body": body}))
}

fn upstream() -> Router {
    Router::new()
        .route("/echo", any(echo))
        .route(
            "/things/{id}",
            get(|Path(id): Path<String>| async move {
                if id == "none" {
                    return (StatusCode::NOT_FOUND, Json(json!({"title": "no such thing"}))).into_response();
                }
                Json(json!({"id": id, "lines": [{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}]}))
                    .into_response()
            }),
        )
        .route(
            "/prices",
            get(|| async {
                Json(json!({"items": [{"sku": "A", "price": {"amount": 5, "currency": "EUR"}}]}))
            }),
        )
        .route(
            "/slow",
            get(|| async { tokio::time::sleep(Duration::from_mins(1)).await }),
        )
        .route("/broken", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route(
            "/sink",
            post(|body: Body| async move {
                axum::body::to_bytes(body, usize::MAX)
                    .await
                    .map(|_| ())
                    .map_err(|_| StatusCode::BAD_REQUEST)
            }),
        )
        .route(
            "/stream",
            get(|| async {
                let lines = futures::stream::unfold(0, |count| async move {
                    if count > 0 {
                        tokio::time::sleep(Duration::from_millis(300)).await;
                    }
                    (count < 3).then(|| (Ok::<_, std::io::Error>(format!("data: {count}\n\n")), count + 1))
                });
                ([("content-type", "text/event-stream")], Body::from_stream(lines))
            }),
        )
}

fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

async fn edge() -> Edge {
    // Ids of traces exist once telemetry runs, as in the process.
    static TELEMETRY: OnceLock<telemetry::Guard> = OnceLock::new();
    TELEMETRY.get_or_init(|| telemetry::init("gateway", telemetry::LogFormat::Pretty).unwrap());
    let issuer = Issuer::start().await;
    let upstream = testkit::spawn(upstream()).await.replace("http://", "");
    let bind = free_port();
    let away = free_port();
    let yaml = format!(
        r#"
version: 1
listeners: {{edge: {{bind: "{bind}"}}}}
limits: {{header_time: 1s}}
auth:
  souk: {{issuer: "https://souk.test", audience: [souk], jwks: "{jwks}", algorithms: [EdDSA], headers: {{x-user-id: sub, x-user-roles: roles}}}}
upstreams:
  there: {{discover: {{static: ["{upstream}"]}}}}
  away: {{discover: {{static: ["{away}"]}}}}
policies:
  open: [anonymous]
  user: [{{auth: souk}}]
  admin: [{{auth: souk}}, {{role: admin}}]
  few: [anonymous, {{rate: {{by: address, quota: 2, window: 60s}}}}]
routes:
  open: {{match: {{path: /echo, methods: [GET, POST]}}, use: [open], to: there}}
  sink: {{match: {{path: /sink, methods: [POST]}}, use: [open], to: there}}
  slow: {{match: {{path: /slow, methods: [GET]}}, use: [open], to: there, deadline: 200ms}}
  stream: {{match: {{path: /stream, methods: [GET]}}, use: [open], to: there, deadline: 500ms, idle: 5s}}
  away: {{match: {{path: /away, methods: [GET]}}, use: [open], to: away}}
  few: {{match: {{path: "/few/{{id}}", methods: [GET]}}, use: [few], aggregate: {{parts: {{thing: {{to: there, path: "/things/{{id}}", required: true}}}}, merge: thing}}}}
  joined:
    match: {{path: "/joined/{{id}}", methods: [GET]}}
    use: [open]
    aggregate:
      parts:
        thing: {{to: there, path: "/things/{{id}}", required: true}}
        prices: {{to: there, path: "/prices?skus={{thing/lines/*/sku}}", pick: /items}}
        absent: {{to: away, path: /x}}
        broken: {{to: there, path: /broken}}
      merge: thing
      join: [{{part: prices, into: /lines, by: sku, as: offer}}]
  hopeless: {{match: {{path: /hopeless, methods: [GET]}}, use: [open], aggregate: {{parts: {{thing: {{to: away, path: /x, required: true}}}}}}}}
  user: {{match: {{path: /user, methods: [GET]}}, use: [user], aggregate: {{parts: {{echo: {{to: there, path: /echo}}}}}}}}
  admin: {{match: {{path: /admin, methods: [GET]}}, use: [admin], aggregate: {{parts: {{echo: {{to: there, path: /echo}}}}}}}}
"#,
        jwks = issuer.jwks_url(),
    );
    let config = Config::parse(&yaml, |_| None).unwrap_or_else(|error| panic!("{error}"));
    let gateway = Gateway::new(config).unwrap();
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    gateway.spawn_background(&tasks, &stop);
    let _threads = listen::start(&gateway, &stop).unwrap();
    testkit::eventually("token keys", Duration::from_secs(10), async || {
        gateway.ready().then_some(())
    })
    .await;
    let client = reqwest::Client::new();
    Edge {
        url: format!("http://{bind}"),
        issuer,
        client,
        _stop: stop.drop_guard(),
    }
}

impl Edge {
    async fn get(&self, path: &str) -> (u16, Value) {
        self.get_with(path, &[]).await
    }

    async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let mut request = self.client.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Sends bytes as they are, and reads until the connection ends or is silent.
    async fn raw(&self, request: &str) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(self.url.trim_start_matches("http://"))
            .await
            .unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut answer)).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

fn assert_problem((status, body): (u16, Value), expected: u16) {
    assert_eq!(status, expected, "{body:#}");
    assert_eq!(body["status"], expected, "{body:#}");
    assert_eq!(body["trace_id"].as_str().map(str::len), Some(32), "{body:#}");
}

#[tokio::test]
async fn a_clients_word_about_who_it_is_does_not_get_through() {
    let edge = edge().await;
    let claimed = [
        ("x-user-id", "1"),
        ("X-User-Roles", "admin"),
        ("x_user_id", "1"),
        ("x-internal-y", "1"),
    ];
    let (status, sent) = edge.get_with("/echo", &claimed).await;
    assert_eq!(status, 200);
    for name in ["x-user-id", "x-user-roles", "x_user_id", "x-internal-y"] {
        assert_eq!(sent["headers"][name], Value::Null, "{sent:#}");
    }
    assert!(
        sent["headers"]["traceparent"].is_string() && sent["headers"]["x-request-id"].is_string(),
        "{sent:#}"
    );
}

#[tokio::test]
async fn only_good_tokens_pass_and_only_administrators_where_it_says_so() {
    let edge = edge().await;
    let user = contracts::UserId::generate();
    let bearer = |token: String| format!("Bearer {token}");
    assert_problem(edge.get("/user").await, 401);
    let good = bearer(edge.issuer.customer(user));
    assert_eq!(edge.get_with("/user", &[("authorization", &good)]).await.0, 200);
    assert_problem(edge.get_with("/admin", &[("authorization", &good)]).await, 403);
    let admin = bearer(edge.issuer.admin());
    assert_eq!(edge.get_with("/admin", &[("authorization", &admin)]).await.0, 200);
    let mut wrong_audience = Issuer::claims(user, &["admin"]);
    wrong_audience["aud"] = json!(["another"]);
    let mut other_key = edge.issuer.header();
    other_key.kid = Some("unknown".into());
    let mut other_type = edge.issuer.header();
    other_type.typ = Some("JWT".into());
    let claims = Issuer::claims(user, &["admin"]);
    for token in [
        edge.issuer.expired_token(user),
        edge.issuer.sign(&edge.issuer.header(), &wrong_audience),
        edge.issuer.sign(&other_key, &claims),
        edge.issuer.sign(&other_type, &claims),
        "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.e30.".to_owned(),
    ] {
        assert_problem(
            edge.get_with("/admin", &[("authorization", &bearer(token))])
                .await,
            401,
        );
    }
}

#[tokio::test]
async fn bodies_are_bounded_whether_their_length_is_told_or_not() {
    let edge = edge().await;
    let big = vec![b'x'; 65 * 1024];
    let url = format!("{}/sink", edge.url);
    let told = edge.client.post(&url).body(big.clone()).send().await.unwrap();
    assert_eq!(told.status(), 413);
    let chunks = futures::stream::iter(
        big.chunks(1024)
            .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
            .collect::<Vec<_>>(),
    );
    let untold = edge
        .client
        .post(&url)
        .body(reqwest::Body::wrap_stream(chunks))
        .send()
        .await
        .unwrap();
    assert_eq!(untold.status(), 413);
    let fits = edge
        .client
        .post(&url)
        .body(vec![b'x'; 64 * 1024])
        .send()
        .await
        .unwrap();
    assert_eq!(fits.status(), 200);
}

#[tokio::test]
async fn malformed_and_dawdling_requests_end() {
    let edge = edge().await;
    let both =
        "POST /sink HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert!(edge.raw(both).await.starts_with("HTTP/1.1 400"));
    assert!(
        edge.raw("TRACE /echo HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 405")
    );
    assert!(
        edge.raw("GET /echo HTTP/1.1\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 400"),
        "no Host"
    );
    let started = std::time::Instant::now();
    edge.raw("GET /echo HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    assert!(
        started.elapsed() < Duration::from_millis(2900),
        "a head that does not come is not waited for"
    );
    assert_problem(edge.get("/nowhere").await, 404);
    let wrong = edge
        .client
        .delete(format!("{}/echo", edge.url))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            wrong.status().as_u16(),
            wrong.headers()["allow"].to_str().unwrap()
        ),
        (405, "GET, HEAD, POST")
    );
}

#[tokio::test]
async fn upstreams_that_are_slow_or_away_have_their_own_errors() {
    let edge = edge().await;
    assert_problem(edge.get("/slow").await, 504);
    let answer = edge
        .client
        .get(format!("{}/away", edge.url))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn answers_are_joined_and_what_is_missing_is_named() {
    let edge = edge().await;
    let (status, answer) = edge.get("/joined/7").await;
    assert_eq!(status, 200, "{answer:#}");
    assert_eq!(answer["id"], "7");
    assert_eq!(answer["lines"][0]["offer"]["price"]["amount"], 5);
    assert_eq!(answer["lines"][1]["offer"], Value::Null);
    assert_eq!(answer["degraded"], json!(["absent", "broken"]));
    assert_eq!(
        edge.get("/joined/none").await.0,
        404,
        "a required part's own no is the answer"
    );
    assert_problem(edge.get("/hopeless").await, 503);
}

#[tokio::test]
async fn a_quota_is_told_and_then_kept() {
    let edge = edge().await;
    let url = format!("{}/few/1", edge.url);
    for _ in 0..2 {
        let answer = edge.client.get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(
            answer.headers().contains_key("ratelimit") && answer.headers().contains_key("ratelimit-policy")
        );
    }
    let refused = edge.client.get(&url).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn streams_pass_as_they_come_and_past_the_deadline() {
    use futures::StreamExt;
    let edge = edge().await;
    let answer = edge
        .client
        .get(format!("{}/stream", edge.url))
        .send()
        .await
        .unwrap();
    let (mut body, mut pieces, started) = (answer.bytes_stream(), vec![], std::time::Instant::now());
    while let Some(piece) = body.next().await {
        pieces.push((started.elapsed(), piece.expect("the stream goes on")));
    }
    assert!(pieces.len() >= 3, "{pieces:?}");
    assert!(
        pieces[0].0 < Duration::from_millis(250),
        "the first came at once: {pieces:?}"
    );
}

/// The shipped file: every route of the public API is there, and it says who may use it.
#[test]
fn the_shipped_file_is_good_and_knows_every_route() {
    let text = include_str!("../gateway.yaml");
    let config = Config::parse(text, |_| None).unwrap_or_else(|error| panic!("{error}"));
    let has = |method: &str, path: &str| {
        let mut routes = config.routes.values();
        routes.any(|route| {
            route.matches.path.value == path && route.matches.methods.iter().any(|known| known == method)
        })
    };
    for route in include_str!("routes.txt").lines() {
        let (method, path) = route.split_once(' ').expect("METHOD path");
        assert!(has(method, path), "{route} has no route");
    }
}

#[test]
fn a_wrong_file_is_refused_with_the_place() {
    let good = "version: 1\nlisteners: {edge: {bind: \"127.0.0.1:1\"}}\nupstreams: {a: {discover: {dns: \"a:1\"}}}\npolicies: {open: [anonymous]}\nroutes:\n  r: {match: {path: /x, methods: [GET]}, use: [open], to: a}\n";
    assert!(Config::parse(good, |_| None).is_ok());
    for (change, to, line) in [
        ("to: a}", "to: b}", 6),
        ("use: [open]", "use: [closed]", 6),
        ("use: [open]", "use: []", 6),
        ("methods: [GET]", "methods: [TRACE]", 6),
        ("to: a}", "to: a, colour: red}", 6),
        ("version: 1", "version: 2", 1),
    ] {
        let error = Config::parse(&good.replace(change, to), |_| None)
            .expect_err(to)
            .to_string();
        assert!(error.starts_with(&format!("line {line}, ")), "{to}: {error}");
    }
    let twice = format!("{good}  s: {{match: {{path: /x, methods: [GET]}}, use: [open], to: a}}\n");
    assert!(
        Config::parse(&twice, |_| None)
            .expect_err("twice")
            .to_string()
            .contains("line 7"),
        "two routes of one path"
    );
}
