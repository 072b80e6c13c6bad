//! Mutual TLS of a service's port: who may connect, and the replacement of certificates.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Router, routing::get};
use souk_http::{Admin, auth::Verifier, health::Health};
use souk_tls::{Authority, Connector, Files, Protocol, Settings};
use tempfile::TempDir;
use testkit::auth::Issuer;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

const TIMEOUT: Duration = Duration::from_secs(20);

/// The service `orders`, which only `gateway` may call, and its CA.
struct Service {
    authority: Authority,
    folder: TempDir,
    http: SocketAddr,
    admin: SocketAddr,
}

async fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

fn settings(files: &Files, callers: &[&str]) -> Settings {
    Settings {
        ca: files.ca.clone(),
        cert: files.cert.clone(),
        key: files.key.clone(),
        callers: callers.iter().map(|&name| name.to_owned()).collect(),
    }
}

impl Service {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(&folder.path().join("ca")).unwrap();
        let files = authority.issue("orders", &folder.path().join("orders")).unwrap();
        let (http, addr) = (free_address().await, free_address().await);
        let router = Router::new().route("/", get(async || "hello"));
        tokio::spawn(async move {
            let admin = Admin {
                addr,
                health: Health::new(),
            };
            let tls = settings(&files, &["gateway"]);
            souk_http::serve(router, http, Some(&tls), admin, CancellationToken::new()).await
        });
        let service = Self {
            authority,
            folder,
            http,
            admin: addr,
        };
        testkit::eventually("the service answers", TIMEOUT, async || {
            reqwest::get(format!("http://{}/healthz", service.admin))
                .await
                .ok()
        })
        .await;
        service
    }

    /// Opens connections to `orders` with a certificate for this name.
    fn connector(&self, name: &str) -> Connector {
        let files = self
            .authority
            .issue(name, &self.folder.path().join(name))
            .unwrap();
        Connector::new(files, "orders", Protocol::Http1).unwrap()
    }

    /// Sends a request over a new connection.
    async fn get(&self, connector: &Connector) -> reqwest::Result<String> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured((*connector.config()).clone())
            .build()?;
        let url = format!("https://{}/", self.http);
        client.get(url).send().await?.text().await
    }
}

impl Service {
    /// Why the service closes a connection after the handshake. In TLS 1.3 a client learns only then whether its certificate
    /// was accepted.
    async fn refusal(&self, connector: &Connector) -> String {
        let stream = TcpStream::connect(self.http).await.unwrap();
        let mut stream = connector.connect(stream).await.unwrap();
        let error = stream.read(&mut [0]).await.unwrap_err();
        error.to_string()
    }
}

#[tokio::test]
async fn only_an_allowed_caller_with_a_certificate_of_the_ca_is_served() {
    let service = Service::start().await;
    assert_eq!(service.get(&service.connector("gateway")).await.unwrap(), "hello");
    let stranger = service.refusal(&service.connector("notifications")).await;
    assert!(stranger.contains("AccessDenied"), "{stranger}");

    let other = Authority::open(&service.folder.path().join("other")).unwrap();
    let mut files = other
        .issue("gateway", &service.folder.path().join("forged"))
        .unwrap();
    // It trusts the service, so that the service decides.
    files.ca = service.folder.path().join("ca/ca.pem");
    let forged = Connector::new(files, "orders", Protocol::Http1).unwrap();
    // The two CAs have the same name, so the signature is what differs.
    let forged = service.refusal(&forged).await;
    assert!(forged.contains("DecryptError"), "{forged}");

    let nobody = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    let nobody = nobody.get(format!("https://{}/", service.http)).send().await;
    assert!(nobody.is_err(), "the port requires a certificate");
    let plain = reqwest::get(format!("http://{}/", service.http)).await;
    assert!(plain.is_err(), "the port speaks no unencrypted HTTP");
}

#[tokio::test]
async fn a_caller_refuses_a_service_with_another_name() {
    let service = Service::start().await;
    let files = service
        .authority
        .issue("gateway", &service.folder.path().join("gateway"))
        .unwrap();
    let payments = Connector::new(files, "payments", Protocol::Http1).unwrap();
    let stream = TcpStream::connect(service.http).await.unwrap();
    let error = payments.connect(stream).await.unwrap_err().to_string();
    assert!(error.contains("not valid for name \"payments\""), "{error}");
}

#[tokio::test]
async fn a_certificate_is_replaced_without_failing_a_request() {
    let service = Service::start().await;
    let connector = service.connector("gateway");
    let certificate = async || {
        let stream = TcpStream::connect(service.http).await.unwrap();
        let stream = connector.connect(stream).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    let before = certificate().await;
    let is_replaced = Arc::new(AtomicBool::new(false));
    let requests = async {
        while !is_replaced.load(Relaxed) {
            assert_eq!(service.get(&connector).await.unwrap(), "hello");
        }
    };
    let replace = async {
        for name in ["orders", "gateway"] {
            service
                .authority
                .issue(name, &service.folder.path().join(name))
                .unwrap();
        }
        testkit::eventually("the new certificate is used", TIMEOUT, async || {
            (certificate().await != before).then_some(())
        })
        .await;
        is_replaced.store(true, Relaxed);
    };
    tokio::join!(requests, replace);
}

#[tokio::test]
async fn the_keys_for_tokens_are_fetched_with_mutual_tls() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open(&folder.path().join("ca")).unwrap();
    let issuer = Issuer::start().await;
    let (jwks, user) = (issuer.jwks_url(), contracts::UserId::generate());
    let router = Router::new().route(
        "/jwks",
        get(async move || reqwest::get(jwks).await.unwrap().text().await.unwrap()),
    );
    let (http, addr) = (free_address().await, free_address().await);
    let users = authority.issue("users", &folder.path().join("users")).unwrap();
    tokio::spawn(async move {
        let admin = Admin {
            addr,
            health: Health::new(),
        };
        let tls = settings(&users, &["orders"]);
        souk_http::serve(router, http, Some(&tls), admin, CancellationToken::new()).await
    });
    let files = authority.issue("orders", &folder.path().join("orders")).unwrap();
    let tls = settings(&files, &["gateway"]);
    let plain = Verifier::with_tls(format!("http://{http}/jwks"), Some(&tls));
    assert!(
        plain
            .unwrap_err()
            .to_string()
            .contains("must begin with https://")
    );
    testkit::eventually("a token is verified", TIMEOUT, async || {
        let verifier = Verifier::with_tls(format!("https://{http}/jwks"), Some(&tls)).unwrap();
        verifier.verify(&issuer.customer(user)).await.ok()
    })
    .await;
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open(&folder.path().join("ca")).unwrap();
    let orders = authority.issue("orders", &folder.path().join("orders")).unwrap();
    let users = authority.issue("users", &folder.path().join("users")).unwrap();
    let error = |settings: Settings| format!("{:#}", settings.acceptor().unwrap_err());
    let mut mixed = settings(&orders, &["gateway"]);
    mixed.key = users.key;
    let mixed = error(mixed);
    assert!(
        mixed.contains("orders/cert.pem and ") && mixed.contains("users/key.pem"),
        "{mixed}"
    );
    let mut missing = settings(&orders, &["gateway"]);
    missing.ca = folder.path().join("no.pem");
    assert!(error(missing).contains("no.pem: No such file"));
    let mut swapped = settings(&orders, &["gateway"]);
    swapped.cert = orders.key.clone();
    assert!(error(swapped).contains("key.pem: no certificate"));
    assert_eq!(error(settings(&orders, &[])), "no caller may connect");
    assert_eq!(
        error(settings(&orders, &["a b"])),
        "`a b` is not a DNS name: invalid dns name"
    );
}
