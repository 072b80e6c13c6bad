//! Mutual TLS with upstreams: the gateway proves who it is, and calls only the service that it means.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    routing::{get, post},
};
use contracts::proto::inventory::{AvailabilityRequest, inventory_client::InventoryClient};
use gateway::{Gateway, config::Config, snapshot};
use serde_json::{Value, json};
use souk_http::{Admin, health::Health};
use souk_tls::{Authority, Files, Settings};
use tempfile::TempDir;
use testkit::auth::Issuer;
use tokio_util::sync::CancellationToken;

use crate::harness::{assert_problem, free_port, start};

const TIMEOUT: Duration = Duration::from_secs(20);

/// A CA, and the folder with its certificates.
struct Ca {
    authority: Authority,
    folder: TempDir,
}

impl Ca {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            authority: Authority::open(&folder.path().join("ca")).unwrap(),
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn issue(&self, name: &str) -> Files {
        self.authority.issue(name, &self.path(name)).unwrap()
    }

    /// The option of an upstream that must have this name.
    fn mtls(&self, san: &str) -> String {
        mtls(&self.issue("gateway"), san)
    }

    /// Starts a service with a certificate for this name, which only the gateway may call.
    async fn serve(&self, name: &str, router: Router) -> SocketAddr {
        let files = self.issue(name);
        let (http, addr) = (unused().await, unused().await);
        tokio::spawn(async move {
            let tls = Settings {
                ca: files.ca,
                cert: files.cert,
                key: files.key,
                callers: vec!["gateway".to_owned()],
            };
            let admin = Admin {
                addr,
                health: Health::new(),
            };
            souk_http::serve(router, http, Some(&tls), admin, CancellationToken::new()).await
        });
        testkit::eventually("the service listens", TIMEOUT, async || {
            tokio::net::TcpStream::connect(http).await.ok()
        })
        .await;
        http
    }
}

/// An address without a listener. Unlike `free_port`, it does not stay bound, which a service could not share.
async fn unused() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

fn mtls(files: &Files, san: &str) -> String {
    let Files { ca, cert, key } = files;
    let path = |file: &Path| file.display().to_string();
    format!(
        "mtls: {{ca: {}, cert: {}, key: {}, san: {san}}}",
        path(ca),
        path(cert),
        path(key)
    )
}

/// A gateway with one upstream, to which it forwards every GET request below `/up`.
fn yaml(bind: SocketAddr, address: SocketAddr, options: &str) -> String {
    format!(
        r#"
version: 1
listeners: {{edge: {{bind: "{bind}"}}}}
upstreams: {{backend: {{discover: {{static: ["{address}"]}}, {options}}}}}
policies: {{open: [anonymous]}}
routes:
  all: {{match: {{path: "/up/{{*rest}}", methods: [GET]}}, use: [open], to: backend}}
  upstreams: {{match: {{path: /upstreams, methods: [GET]}}, use: [open], local: upstreams}}
"#
    )
}

fn hello() -> Router {
    Router::new().route("/up/hello", get(async || "hello"))
}

#[tokio::test]
async fn requests_share_connections_to_a_service_that_requires_a_certificate() {
    let ca = Ca::new();
    let address = ca.serve("orders", hello()).await;
    let bind = free_port();
    let _ends = start(&yaml(bind, address, &ca.mtls("orders")));
    let accepted = connections(address);
    for _ in 0..50 {
        let answer = reqwest::get(format!("http://{bind}/up/hello")).await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "hello");
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let opened = connections(address) - accepted;
    assert!(opened <= cores, "{opened} connections for 50 requests in turn");
}

/// Number of connections to this port that are open.
fn connections(address: SocketAddr) -> usize {
    let port = format!(":{:04X}", address.port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    // The remote address is that of the service, and the state is ESTABLISHED.
    rows.filter(|row| row[2].ends_with(&port) && row[3] == "01")
        .count()
}

#[tokio::test]
async fn a_service_with_another_name_gets_no_requests_and_the_client_502() {
    let ca = Ca::new();
    let called = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&called);
    let router = Router::new().fallback(get(async move || {
        count.fetch_add(1, Relaxed);
    }));
    let address = ca.serve("payments", router).await;
    let bind = free_port();
    let _ends = start(&yaml(bind, address, &ca.mtls("orders")));
    assert_problem(fetch(bind, "/up/hello").await, 502);
    assert_eq!(called.load(Relaxed), 0);
    let failure = last_failure(bind).await;
    assert!(
        failure.contains("not valid for name \"orders\"") && failure.contains("payments"),
        "{failure}"
    );
}

/// Status and body of the response to a GET request.
async fn fetch(bind: SocketAddr, path: &str) -> (u16, Value) {
    let answer = reqwest::get(format!("http://{bind}{path}")).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Why the last request to the only instance failed.
async fn last_failure(bind: SocketAddr) -> String {
    let report = reqwest::get(format!("http://{bind}/upstreams")).await.unwrap();
    let report: Value = report.json().await.unwrap();
    let failure = &report["items"][0]["instances"][0]["last_failure"]["reason"];
    failure.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_service_that_refuses_the_gateway_is_502() {
    let ca = Ca::new();
    let address = ca.serve("orders", hello()).await;
    let stranger = mtls(&ca.issue("notifications"), "orders");
    let bind = free_port();
    let _ends = start(&yaml(bind, address, &stranger));
    assert_problem(fetch(bind, "/up/hello").await, 502);

    let plain = free_port();
    let _plain = start(&yaml(plain, address, "eject: {}"));
    assert_problem(fetch(plain, "/up/hello").await, 502);
}

#[tokio::test]
async fn health_checks_use_the_certificate() {
    let ca = Ca::new();
    let router = hello().route("/readyz", get(async || ()));
    let address = ca.serve("orders", router).await;
    for (check, san, state) in [
        ("{path: /readyz, every: 50ms}", "orders", "healthy"),
        ("{every: 50ms}", "orders", "healthy"),
        ("{path: /readyz, every: 50ms}", "payments", "unhealthy"),
        ("{every: 50ms}", "payments", "unhealthy"),
    ] {
        let bind = free_port();
        let options = format!("health: {check}, {}", ca.mtls(san));
        let _ends = start(&yaml(bind, address, &options));
        testkit::eventually(&format!("{check} {san}"), TIMEOUT, async || {
            let report = reqwest::get(format!("http://{bind}/upstreams")).await.ok()?;
            let report: Value = report.json().await.ok()?;
            (report["items"][0]["instances"][0]["state"] == state).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn grpc_tokens_and_api_keys_use_the_certificate() {
    let ca = Ca::new();
    let issuer = Issuer::start().await;
    let (jwks, token) = (issuer.jwks_url(), issuer.customer(contracts::UserId::generate()));
    let exchanged = token.clone();
    let users = Router::new()
        .route(
            "/jwks",
            get(async move || reqwest::get(jwks).await.unwrap().text().await.unwrap()),
        )
        .route(
            "/exchange",
            post(async move || Json(json!({"access_token": exchanged, "expires_in": 600}))),
        )
        .route("/up/hello", get(async || "hello"));
    let users = ca.serve("users", users).await;
    let inventory = ca.serve("inventory", crate::grpc::routes()).await;
    let bind = free_port();
    let _ends = start(&format!(
        r#"
version: 1
listeners: {{edge: {{bind: "{bind}"}}}}
auth:
  souk:
    issuer: "https://souk.test"
    audience: [souk]
    jwks: "https://{users}/jwks"
    {users_tls}
    algorithms: [EdDSA]
    api_keys: {{to: users, path: /exchange, cache: 30s}}
upstreams:
  users: {{discover: {{static: ["{users}"]}}, {users_tls}}}
  inventory: {{discover: {{static: ["{inventory}"]}}, protocol: grpc, {inventory_tls}}}
  wrong: {{discover: {{static: ["{inventory}"]}}, protocol: grpc, {users_tls}}}
policies: {{open: [anonymous], user: [{{auth: souk}}]}}
routes:
  hello: {{match: {{path: "/up/hello", methods: [GET]}}, use: [user], to: users}}
  calls: {{match: {{path: "/souk.inventory.v1.Inventory/{{method}}", methods: [POST]}}, use: [open], to: inventory}}
  stock: {{match: {{path: "/stock/{{sku}}", methods: [GET]}}, use: [open], to: inventory, grpc: {grpc}}}
  wrong: {{match: {{path: "/wrong/{{sku}}", methods: [GET]}}, use: [open], to: wrong, grpc: {grpc}}}
"#,
        users_tls = ca.mtls("users"),
        inventory_tls = ca.mtls("inventory"),
        grpc = r#"{method: souk.inventory.v1.Inventory/Availability, request: {skus: ["{sku}"]}}"#,
    ));
    let client = reqwest::Client::new();
    let get = |path: &str| client.get(format!("http://{bind}{path}"));
    testkit::eventually("the keys for tokens are fetched", TIMEOUT, async || {
        let answer = get("/up/hello").bearer_auth(&token).send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
    let by_key = get("/up/hello")
        .header("x-api-key", "a-key")
        .send()
        .await
        .unwrap();
    assert_eq!(by_key.status(), 200);
    let stock = get("/stock/A").send().await.unwrap();
    assert_eq!(stock.status(), 200);
    let stock: Value = stock.json().await.unwrap();
    assert_eq!(stock["items"][0]["available"], 3, "{stock}");
    assert_problem(fetch(bind, "/wrong/A").await, 502);
    // A call that is passed through uses it as well.
    let mut calls = InventoryClient::connect(format!("http://{bind}")).await.unwrap();
    let skus = vec!["A".to_owned()];
    let reply = calls.availability(AvailabilityRequest { skus }).await.unwrap();
    assert_eq!(reply.into_inner().items[0].available, 3);
}

#[tokio::test]
async fn certificates_of_both_sides_are_replaced_without_failing_a_request() {
    let ca = Ca::new();
    let address = ca.serve("orders", hello()).await;
    let bind = free_port();
    let options = ca.mtls("orders");
    let _ends = start(&yaml(bind, address, &options));
    let is_replaced = AtomicBool::new(false);
    let requests = async {
        while !is_replaced.load(Relaxed) {
            let client = reqwest::Client::new();
            let answer = client
                .get(format!("http://{bind}/up/hello"))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.text().await.unwrap(), "hello");
        }
    };
    let replace = async {
        let own = souk_tls::Connector::new(ca.issue("gateway"), "orders", souk_tls::Protocol::Http1).unwrap();
        let certificate = async || {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let stream = own.connect(stream).await.unwrap();
            stream.get_ref().1.peer_certificates().unwrap()[0].clone()
        };
        let before = certificate().await;
        ca.issue("orders");
        ca.issue("gateway");
        testkit::eventually("the new certificate is used", TIMEOUT, async || {
            (certificate().await != before).then_some(())
        })
        .await;
        is_replaced.store(true, Relaxed);
    };
    tokio::join!(requests, replace);
}

#[test]
fn mistakes_are_reported() {
    let ca = Ca::new();
    let address = free_port();
    let check = |options: &str| {
        let config = Config::parse(&yaml(free_port(), address, options), |_| None)?;
        snapshot::check(&config)
    };
    let error = |options: &str| check(options).unwrap_err().to_string();
    assert!(check("mtls: {ca: \"\", cert: \"\", key: \"\", san: orders}").is_ok());
    assert!(
        error("mtls: {ca: ca.pem, cert: \"\", key: gw.key, san: orders}")
            .ends_with("`cert` of this `mtls` is empty; name all three files, or none")
    );
    let name = error("mtls: {ca: ca.pem, cert: gw.pem, key: gw.key, san: \"a b\"}");
    assert!(
        name.starts_with("line 4, column ") && name.ends_with("`a b` is not a DNS name"),
        "{name}"
    );
    assert!(error("mtls: {ca: ca.pem, cert: gw.pem, key: gw.key}").contains("san"));

    let start = |options: &str| {
        let config = Config::parse(&yaml(free_port(), address, options), |_| None).unwrap();
        format!("{:#}", Gateway::new(config).unwrap_err())
    };
    let missing = start("mtls: {ca: no.pem, cert: no.pem, key: no.key, san: orders}");
    assert!(
        missing.contains("upstream `backend`: no.pem: No such file"),
        "{missing}"
    );
    let mut mixed = ca.issue("gateway");
    mixed.key = ca.issue("orders").key;
    let mixed = start(&mtls(&mixed, "orders"));
    assert!(
        mixed.contains("gateway/cert.pem and ") && mixed.contains("orders/key.pem"),
        "{mixed}"
    );

    let auth = format!(
        "auth: {{souk: {{issuer: a, audience: [a], jwks: \"http://users/jwks\", algorithms: [EdDSA], {}}}}}\n",
        ca.mtls("users")
    );
    let text = yaml(free_port(), address, "eject: {}").replace("policies:", &format!("{auth}policies:"));
    let error = snapshot::check(&Config::parse(&text, |_| None).unwrap()).unwrap_err();
    assert!(
        error.to_string().contains("must begin with `https://`"),
        "{error}"
    );
}
