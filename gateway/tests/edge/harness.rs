//! The gateway on a real socket, in front of upstreams that the test plays.

use std::{collections::BTreeMap, net::SocketAddr, sync::OnceLock, time::Duration};

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
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A gateway that runs as long as this lives.
pub(crate) struct Edge {
    pub(crate) url: String,
    pub(crate) issuer: Issuer,
    pub(crate) client: reqwest::Client,
    pub(crate) gateway: std::sync::Arc<Gateway>,
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

fn upstream(tokens: BTreeMap<&'static str, String>) -> Router {
    let exchange = move |Json(asked): Json<Value>| async move {
        match asked["key"].as_str().and_then(|key| tokens.get(key)) {
            Some(token) => Json(json!({"access_token": token, "expires_in": 600})).into_response(),
            None => StatusCode::UNAUTHORIZED.into_response(),
        }
    };
    Router::new()
        .route("/exchange", post(exchange))
        .route("/echo", any(echo))
        .route("/known", any(echo))
        .route("/shopper", any(echo))
        .route("/owner", any(echo))
        .route("/operator", any(echo))
        .route(
            "/asked",
            get(|uri: axum::http::Uri| async move { Json(json!({"query": uri.query()})) }),
        )
        .route(
            "/pages",
            get(|| async { ([("vary", "accept-encoding")], "a page") }),
        )
        .route(
            "/picky",
            post(|| async {
                let kind = [("content-type", "application/problem+json")];
                (
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    kind,
                    "{\"title\": \"its own\"}",
                )
            }),
        )
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
                let price = |amount: i64| json!({"amount": amount, "currency": "EUR"});
                Json(json!({"items": [{"sku": "A", "price": price(5)}, {"sku": "B", "price": price(15)}]}))
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

/// An address where nobody listens, and that no one else is given as long as the tests run, as a port that was only looked
/// for may be. The gateway shares its ports and so can have it, as [`listen_at`] can.
pub(crate) fn free_port() -> SocketAddr {
    let socket = shared(SocketAddr::from(([127, 0, 0, 1], 0)));
    let address = socket.local_addr().unwrap();
    std::mem::forget(socket);
    address
}

/// Listens at an address of [`free_port`].
pub(crate) fn listen_at(address: SocketAddr) -> tokio::net::TcpListener {
    shared(address).listen(64).unwrap()
}

fn shared(address: SocketAddr) -> tokio::net::TcpSocket {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

/// Starts a gateway with this file, as long as the guard lives.
pub(crate) fn start(yaml: &str) -> tokio_util::sync::DropGuard {
    with_telemetry();
    let config = Config::parse(yaml, |_| None).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    let gateway = Gateway::new(config).unwrap();
    let stop = CancellationToken::new();
    gateway.spawn_background(&TaskTracker::new(), &stop);
    listen::start(&gateway, &stop).unwrap();
    stop.drop_guard()
}

/// Ids of traces exist once telemetry runs, as in the process.
pub(crate) fn with_telemetry() {
    static TELEMETRY: OnceLock<telemetry::Guard> = OnceLock::new();
    TELEMETRY.get_or_init(|| telemetry::init("gateway", telemetry::LogFormat::Pretty).unwrap());
}

/// The keys that the upstream knows. The token of each has the scope of its name; that of `a-key` has none.
fn api_keys(issuer: &Issuer) -> BTreeMap<&'static str, String> {
    let token = |scope: Option<&str>| {
        let mut claims = Issuer::claims(contracts::UserId::generate(), &["customer", "admin"]);
        claims.as_object_mut().unwrap().remove("sid");
        if let Some(scope) = scope {
            claims["scope"] = scope.into();
        }
        issuer.sign(&issuer.header(), &claims)
    };
    [
        ("a-key", None),
        ("read", Some("read")),
        ("order", Some("order")),
        ("admin", Some("read admin")),
        ("nothing", Some("")),
    ]
    .map(|(key, scope)| (key, token(scope)))
    .into()
}

pub(crate) async fn edge() -> Edge {
    with_telemetry();
    let issuer = Issuer::start().await;
    let upstream = testkit::spawn(upstream(api_keys(&issuer)))
        .await
        .replace("http://", "");
    let bind = free_port();
    let away = free_port();
    let grpc = crate::grpc::inventory().await;
    let yaml = format!(
        r#"
version: 1
listeners: {{edge: {{bind: "{bind}"}}}}
limits: {{header_time: 1s}}
auth:
  souk: {{issuer: "https://souk.test", audience: [souk], jwks: "{jwks}", algorithms: [EdDSA], headers: {{x-user-id: sub, x-user-roles: roles}}, api_keys: {{to: there, path: /exchange, cache: 30s}}}}
upstreams:
  there: {{discover: {{static: ["{upstream}"]}}}}
  away: {{discover: {{static: ["{away}"]}}}}
  grpc: {{discover: {{dns: "{grpc}"}}, protocol: grpc}}
policies:
  open: [anonymous]
  pages: [anonymous, {{cors: {{origins: ["http://shop.test"], max_age: 60s}}}}]
  user: [{{auth: souk}}]
  admin: [{{auth: souk}}, {{role: admin}}]
  shopper: [{{auth: souk}}, {{scope: {{safe: [read, order, admin], unsafe: [order]}}}}]
  owner: [{{auth: souk}}, {{scope: {{safe: [read, order, admin], unsafe: []}}}}]
  operator: [{{auth: souk}}, {{scope: {{safe: [admin], unsafe: [admin]}}}}, {{role: admin}}]
  safe: [{{breaker: {{window: 10s, min_calls: 4, failures: 50%, slow: {{over: 2s, share: 80%}}, open: 5m, probes: 2}}}}]
  few: [anonymous, {{rate: {{by: address, quota: 2, window: 60s}}}}]
routes:
  open: {{match: {{path: /echo, methods: [GET, POST]}}, use: [open], to: there}}
  sink: {{match: {{path: /sink, methods: [POST]}}, use: [open, safe], to: there}}
  slow: {{match: {{path: /slow, methods: [GET]}}, use: [open], to: there, deadline: 200ms}}
  stream: {{match: {{path: /stream, methods: [GET]}}, use: [open], to: there, deadline: 500ms, idle: 5s}}
  away: {{match: {{path: /away, methods: [GET]}}, use: [open], to: away}}
  dropped: {{match: {{path: /dropped, methods: [POST]}}, use: [open], to: away, best_effort: true}}
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
  stock:
    match: {{path: "/stock/{{sku}}", methods: [GET]}}
    use: [open]
    to: grpc
    grpc: {{method: souk.inventory.v1.Inventory/Availability, request: {{skus: ["{{sku}}"]}}, pick: /items/0}}
    deadline: 1s
  stocked:
    match: {{path: "/stocked/{{id}}", methods: [GET]}}
    use: [open]
    aggregate:
      parts:
        thing: {{to: there, path: "/things/{{id}}", required: true}}
        prices: {{to: there, path: "/prices", pick: /items}}
        stock: {{to: grpc, grpc: {{method: souk.inventory.v1.Inventory/Availability, request: {{skus: "{{thing/lines/*/sku}}"}}}}, pick: /items}}
      merge: thing
      join: [{{part: prices, into: /lines, by: sku, as: offer}}, {{part: stock, into: /lines, by: sku, as: stock}}]
      total: {{lines: /lines, quantity: /quantity, price: /offer/price}}
  query: {{match: {{path: "/query/{{id}}", methods: [GET]}}, use: [open], aggregate: {{parts: {{asked: {{to: there, path: "/asked?id={{id}}", required: true}}}}, merge: asked}}}}
  pages: {{match: {{path: /pages, methods: [GET, POST]}}, use: [pages], to: there}}
  picky: {{match: {{path: /picky, methods: [POST]}}, use: [open], to: there}}
  upstreams: {{match: {{path: /upstreams, methods: [GET]}}, use: [open], local: upstreams}}
  shopper: {{match: {{path: /shopper, methods: [GET, POST]}}, use: [shopper], to: there}}
  owner: {{match: {{path: /owner, methods: [GET, POST]}}, use: [owner], to: there}}
  operator: {{match: {{path: /operator, methods: [GET, POST]}}, use: [operator], to: there}}
  known: {{match: {{path: /known, methods: [GET]}}, use: [user], to: there}}
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
        gateway,
        _stop: stop.drop_guard(),
    }
}

impl Edge {
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let mut request = self.client.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Sends bytes as they are, and reads until the connection ends or is silent.
    pub(crate) async fn raw(&self, request: &str) -> String {
        let mut stream = connect(&self.url).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        rest(stream).await
    }
}

/// A connection of its own.
pub(crate) async fn connect(url: &str) -> TcpStream {
    TcpStream::connect(url.trim_start_matches("http://"))
        .await
        .unwrap()
}

/// Reads until the connection ends or is silent for three seconds.
pub(crate) async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[track_caller]
pub(crate) fn assert_problem((status, body): (u16, Value), expected: u16) {
    assert_eq!(status, expected, "{body:#}");
    assert_eq!(body["status"], expected, "{body:#}");
    assert_eq!(body["trace_id"].as_str().map(str::len), Some(32), "{body:#}");
}
