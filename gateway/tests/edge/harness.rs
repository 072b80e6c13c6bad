//! Starts a gateway on a real socket, in front of upstreams that the test provides.

use std::{collections::BTreeMap, net::SocketAddr, sync::OnceLock, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{any, get, post},
};
use gateway::{Gateway, config::Config, serve};
use serde_json::{Value, json};
use testkit::auth::Issuer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A running gateway, which stops when this is dropped.
pub(crate) struct Edge {
    pub(crate) url: String,
    pub(crate) issuer: Issuer,
    pub(crate) client: reqwest::Client,
    pub(crate) gateway: std::sync::Arc<Gateway>,
    _stop: tokio_util::sync::DropGuard,
}

/// Responds with the headers and the body of the request, as JSON.
async fn echo(headers: HeaderMap, body: String) -> Json<Value> {
    let headers: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().into()))
        .collect();
    Json(json!({"headers": headers, "body": body}))
}

fn upstream(tokens: BTreeMap<&'static str, String>) -> Router {
    let exchange = move |Json(body): Json<Value>| async move {
        match body["key"].as_str().and_then(|key| tokens.get(key)) {
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
            "/query-echo",
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
                    return (StatusCode::NOT_FOUND, Json(json!({"title": "not found"}))).into_response();
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

/// An address without a listener, which no other process can be assigned while the tests run, because its socket stays
/// bound. The gateway and [`listen_at`] can still bind it, because they set `SO_REUSEPORT`.
pub(crate) fn free_port() -> SocketAddr {
    let socket = shared(SocketAddr::from(([127, 0, 0, 1], 0)));
    let address = socket.local_addr().unwrap();
    std::mem::forget(socket);
    address
}

/// Listens on an address from [`free_port`].
pub(crate) fn listen_at(address: SocketAddr) -> tokio::net::TcpListener {
    shared(address).listen(64).unwrap()
}

/// A socket bound with `SO_REUSEPORT`.
fn shared(address: SocketAddr) -> tokio::net::TcpSocket {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

/// Starts a gateway with this configuration, which stops when the guard is dropped.
pub(crate) fn start(yaml: &str) -> tokio_util::sync::DropGuard {
    run(yaml).1
}

/// Like [`start`], but also returns the gateway.
fn run(yaml: &str) -> (std::sync::Arc<Gateway>, tokio_util::sync::DropGuard) {
    with_telemetry();
    let config = Config::parse(yaml, |_| None).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    let gateway = Gateway::new(config).unwrap();
    let stop = CancellationToken::new();
    gateway.spawn_background(&TaskTracker::new(), &stop);
    serve::start(&gateway, &stop).unwrap();
    (gateway, stop.drop_guard())
}

/// Starts telemetry once, because trace ids exist only while it runs.
pub(crate) fn with_telemetry() {
    static TELEMETRY: OnceLock<telemetry::Guard> = OnceLock::new();
    TELEMETRY.get_or_init(|| telemetry::init("gateway", telemetry::LogFormat::Pretty).unwrap());
}

/// The API keys that the upstream accepts, with their tokens. Each key is named after its scope; the token of `a-key`
/// has no `scope`.
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

/// Starts a gateway with routes for every feature.
pub(crate) async fn edge() -> Edge {
    with_telemetry();
    let issuer = Issuer::start().await;
    let upstream = testkit::spawn(upstream(api_keys(&issuer)))
        .await
        .replace("http://", "");
    let bind = free_port();
    let down = free_port();
    let grpc = crate::grpc::inventory().await;
    let yaml = format!(
        r#"
version: 1
listeners: {{edge: {{bind: "{bind}"}}}}
limits: {{header_time: 1s}}
auth:
  souk: {{issuer: "https://souk.test", audience: [souk], jwks: "{jwks}", algorithms: [EdDSA], headers: {{x-user-id: sub, x-user-roles: roles}}, api_keys: {{to: backend, path: /exchange, cache: 30s}}}}
upstreams:
  backend: {{discover: {{static: ["{upstream}"]}}}}
  down: {{discover: {{static: ["{down}"]}}}}
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
  open: {{match: {{path: /echo, methods: [GET, POST]}}, use: [open], to: backend}}
  sink: {{match: {{path: /sink, methods: [POST]}}, use: [open, safe], to: backend}}
  slow: {{match: {{path: /slow, methods: [GET]}}, use: [open], to: backend, deadline: 200ms}}
  stream: {{match: {{path: /stream, methods: [GET]}}, use: [open], to: backend, deadline: 500ms, idle: 5s}}
  down: {{match: {{path: /down, methods: [GET]}}, use: [open], to: down}}
  dropped: {{match: {{path: /dropped, methods: [POST]}}, use: [open], to: down, best_effort: true}}
  few: {{match: {{path: "/few/{{id}}", methods: [GET]}}, use: [few], aggregate: {{parts: {{thing: {{to: backend, path: "/things/{{id}}", required: true}}}}, merge: thing}}}}
  joined:
    match: {{path: "/joined/{{id}}", methods: [GET]}}
    use: [open]
    aggregate:
      parts:
        thing: {{to: backend, path: "/things/{{id}}", required: true}}
        prices: {{to: backend, path: "/prices?skus={{thing/lines/*/sku}}", pick: /items}}
        unreachable: {{to: down, path: /x}}
        broken: {{to: backend, path: /broken}}
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
        thing: {{to: backend, path: "/things/{{id}}", required: true}}
        prices: {{to: backend, path: "/prices", pick: /items}}
        stock: {{to: grpc, grpc: {{method: souk.inventory.v1.Inventory/Availability, request: {{skus: "{{thing/lines/*/sku}}"}}}}, pick: /items}}
      merge: thing
      join: [{{part: prices, into: /lines, by: sku, as: offer}}, {{part: stock, into: /lines, by: sku, as: stock}}]
      total: {{lines: /lines, quantity: /quantity, price: /offer/price}}
  query: {{match: {{path: "/query/{{id}}", methods: [GET]}}, use: [open], aggregate: {{parts: {{echo: {{to: backend, path: "/query-echo?id={{id}}", required: true}}}}, merge: echo}}}}
  pages: {{match: {{path: /pages, methods: [GET, POST]}}, use: [pages], to: backend}}
  picky: {{match: {{path: /picky, methods: [POST]}}, use: [open], to: backend}}
  upstreams: {{match: {{path: /upstreams, methods: [GET]}}, use: [open], local: upstreams}}
  shopper: {{match: {{path: /shopper, methods: [GET, POST]}}, use: [shopper], to: backend}}
  owner: {{match: {{path: /owner, methods: [GET, POST]}}, use: [owner], to: backend}}
  operator: {{match: {{path: /operator, methods: [GET, POST]}}, use: [operator], to: backend}}
  known: {{match: {{path: /known, methods: [GET]}}, use: [user], to: backend}}
  hopeless: {{match: {{path: /hopeless, methods: [GET]}}, use: [open], aggregate: {{parts: {{thing: {{to: down, path: /x, required: true}}}}}}}}
  user: {{match: {{path: /user, methods: [GET]}}, use: [user], aggregate: {{parts: {{echo: {{to: backend, path: /echo}}}}}}}}
  admin: {{match: {{path: /admin, methods: [GET]}}, use: [admin], aggregate: {{parts: {{echo: {{to: backend, path: /echo}}}}}}}}
"#,
        jwks = issuer.jwks_url(),
    );
    let config = Config::parse(&yaml, |_| None).unwrap_or_else(|error| panic!("{error}"));
    let gateway = Gateway::new(config).unwrap();
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    gateway.spawn_background(&tasks, &stop);
    let _threads = serve::start(&gateway, &stop).unwrap();
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
        let answer = request.send().await.expect("a response");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Sends raw bytes on a new connection and returns what [`rest`] reads.
    pub(crate) async fn raw(&self, request: &str) -> String {
        let mut stream = connect(&self.url).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        rest(stream).await
    }
}

/// Opens a new connection.
pub(crate) async fn connect(url: &str) -> TcpStream {
    TcpStream::connect(url.trim_start_matches("http://"))
        .await
        .unwrap()
}

/// Reads until the connection is closed, for at most three seconds.
pub(crate) async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Checks the status of a response and the members of its problem details.
#[track_caller]
pub(crate) fn assert_problem((status, body): (u16, Value), expected: u16) {
    assert_eq!(status, expected, "{body:#}");
    assert_eq!(body["status"], expected, "{body:#}");
    assert_eq!(body["trace_id"].as_str().map(str::len), Some(32), "{body:#}");
}

/// A gateway in front of one upstream, which stops when this is dropped.
pub(crate) struct Front {
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    gateway: std::sync::Arc<Gateway>,
    bind: SocketAddr,
    upstreams: [String; 2],
    _stop: tokio_util::sync::DropGuard,
}

/// Starts a gateway in front of `upstream`, which is called `backend`. `rest` is the rest of the file, beginning with
/// `policies`. The gateway believes the `X-Forwarded-For` of its peers. The
/// upstream `down` refuses connections.
pub(crate) async fn front(upstream: Router, rest: &str) -> Front {
    front_two(upstream, Router::new(), rest).await
}

/// Like [`front`], with a second upstream, which is called `other`.
pub(crate) async fn front_two(upstream: Router, other: Router, rest: &str) -> Front {
    let spawn = async |router| testkit::spawn(router).await.replace("http://", "");
    let upstreams = [spawn(upstream).await, spawn(other).await];
    let bind = free_port();
    let (gateway, stop) = run(&front_yaml(&bind.to_string(), &upstreams, rest));
    Front {
        gateway,
        bind,
        upstreams,
        url: format!("http://{bind}"),
        client: reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap(),
        _stop: stop,
    }
}

/// The file that [`front`] uses, with these addresses.
fn front_yaml(bind: &str, [backend, other]: &[String; 2], rest: &str) -> String {
    format!(
        "version: 1
listeners: {{edge: {{bind: \"{bind}\", trusted_proxies: [127.0.0.0/8]}}}}
upstreams: {{backend: {{discover: {{static: [\"{backend}\"]}}}}, other: {{discover: {{static: [\"{other}\"]}}}}, down: {{discover: {{static: [\"127.0.0.1:1\"]}}}}}}
{rest}"
    )
}

/// The error that the checks of the file find in this `rest`.
#[track_caller]
pub(crate) fn front_error(rest: &str) -> String {
    let yaml = front_yaml(
        "127.0.0.1:0",
        &["127.0.0.1:1", "127.0.0.1:2"].map(str::to_owned),
        rest,
    );
    let checked = Config::parse(&yaml, |_| None).and_then(|config| gateway::snapshot::check(&config));
    checked.expect_err(rest).to_string()
}

impl Front {
    /// Replaces the configuration by one with this `rest`; see [`front`].
    pub(crate) async fn reload(&self, rest: &str) {
        let yaml = front_yaml(&self.bind.to_string(), &self.upstreams, rest);
        let config = Config::parse(&yaml, |_| None);
        self.gateway.reload(config, serve::Source::Api).await.unwrap();
    }

    /// Requests a path with these header fields.
    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let mut request = self.client.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("a response")
    }

    /// The status and the JSON of the response to a GET request.
    pub(crate) async fn json(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let answer = self.get(path, headers).await;
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }
}
