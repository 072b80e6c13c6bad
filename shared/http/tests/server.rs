//! Tests the responses that the server creates itself, the admin listener and the graceful shutdown.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::SocketAddr, time::Duration};

use axum::{Router, routing::get};
use souk_http::{Admin, Problem, ProblemBody, health::Health};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_util::sync::CancellationToken;

const TIMEOUT: Duration = Duration::from_secs(5);

async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
}

struct Service {
    http: String,
    admin: String,
    shutdown: CancellationToken,
    served: tokio::task::JoinHandle<anyhow::Result<()>>,
}

async fn serve(router: Router, health: Health) -> Service {
    let (http, addr) = (free_address().await, free_address().await);
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(souk_http::serve(
        router,
        http,
        None,
        Admin { addr, health },
        shutdown.clone(),
    ));
    let admin = format!("http://{addr}");
    testkit::eventually("the service answers", TIMEOUT, async || {
        reqwest::get(format!("{admin}/healthz")).await.ok()
    })
    .await;
    Service {
        http: format!("http://{http}"),
        admin,
        shutdown,
        served,
    }
}

#[tokio::test]
async fn errors_outside_handlers_are_problems() {
    let router = Router::new()
        .route("/panic", get(async || -> &'static str { panic!("a secret") }))
        .route("/broken", get(async || Problem::internal("SELECT secret")));
    let service = serve(router, Health::new()).await;
    let client = reqwest::Client::new();
    for (method, path, status) in [
        ("GET", "/nowhere", 404),
        ("POST", "/broken", 405),
        ("TRACE", "/broken", 405),
        ("GET", "/panic", 500),
        ("GET", "/broken", 500),
    ] {
        let request = client.request(method.parse().unwrap(), format!("{}{path}", service.http));
        let response = request.header("x-request-id", "r-1").send().await.unwrap();
        assert_eq!(response.status(), status, "{method} {path}");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json",
            "{method} {path}"
        );
        assert_eq!(response.headers()["x-request-id"], "r-1", "{method} {path}");
        let text = response.text().await.unwrap();
        assert!(!text.contains("secret"), "{text}");
        let problem: ProblemBody = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (problem.status, problem.instance.as_deref()),
            (status, Some(path))
        );
    }
    let metrics = reqwest::get(format!("{}/metrics", service.admin))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        metrics.contains("http_server_request_duration_seconds"),
        "{metrics}"
    );
}

#[tokio::test]
async fn not_ready_while_a_dependency_is_unavailable() {
    let database = souk_http::database::pool(&format!("postgres://x@{}/x", free_address().await), 1).unwrap();
    let health = Health::new()
        .postgres(&database)
        .check("fine", || async { anyhow::Ok(()) });
    let service = serve(Router::new(), health).await;
    let response = reqwest::get(format!("{}/readyz", service.admin)).await.unwrap();
    assert_eq!(
        (
            response.status().as_u16(),
            response.headers().contains_key("retry-after")
        ),
        (503, true)
    );
    let problem: ProblemBody = response.json().await.unwrap();
    let pointers: Vec<_> = problem
        .errors
        .iter()
        .map(|error| error.pointer.as_str())
        .collect();
    assert_eq!(pointers, ["/postgres"]);
    assert_eq!(
        reqwest::get(format!("{}/healthz", service.admin))
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn a_shutdown_reports_not_ready_and_completes_requests_in_progress() {
    let (started, has_started) = oneshot::channel();
    let (finish, may_finish) = oneshot::channel::<()>();
    let once = std::sync::Arc::new(std::sync::Mutex::new(Some((started, may_finish))));
    let slow = get(move || {
        let (started, may_finish) = once.lock().unwrap().take().unwrap();
        async move {
            started.send(()).unwrap();
            may_finish.await.unwrap();
            "done"
        }
    });
    let service = serve(Router::new().route("/slow", slow), Health::new()).await;
    let ready = format!("{}/readyz", service.admin);
    assert_eq!(reqwest::get(&ready).await.unwrap().status(), 200);
    let response = tokio::spawn(reqwest::get(format!("{}/slow", service.http)));
    has_started.await.unwrap();
    service.shutdown.cancel();
    testkit::eventually("the service reports not ready", TIMEOUT, async || {
        (reqwest::get(&ready).await.ok()?.status() == 503).then_some(())
    })
    .await;
    finish.send(()).unwrap();
    assert_eq!(response.await.unwrap().unwrap().text().await.unwrap(), "done");
    tokio::time::timeout(TIMEOUT, service.served)
        .await
        .expect("the server stops")
        .unwrap()
        .unwrap();
    assert!(
        reqwest::get(&ready).await.is_err(),
        "the admin listener stops too"
    );
}

#[tokio::test]
async fn an_open_connection_serves_one_more_request_after_the_shutdown_started() {
    let service = serve(Router::new().route("/", get(|| async { "hello" })), Health::new()).await;
    let address = service.http.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let first = exchange(&mut stream).await;
    assert!(
        first.starts_with("http/1.1 200") && !first.contains("connection: close"),
        "{first}"
    );
    service.shutdown.cancel();
    testkit::eventually("new connections are refused", TIMEOUT, async || {
        TcpStream::connect(address).await.is_err().then_some(())
    })
    .await;
    // The gateway may send this before it can know of the shutdown.
    let last = exchange(&mut stream).await;
    assert!(
        last.starts_with("http/1.1 200") && last.contains("connection: close"),
        "{last}"
    );
    assert_eq!(
        stream.read(&mut [0]).await.unwrap(),
        0,
        "the connection is closed"
    );
    tokio::time::timeout(TIMEOUT, service.served)
        .await
        .expect("the server stops when no connection is open")
        .unwrap()
        .unwrap();
}

/// Sends a request and reads the response, in lower case, without closing the connection.
async fn exchange(stream: &mut TcpStream) -> String {
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut response = vec![];
    while !response.ends_with(b"hello") {
        assert_ne!(
            stream.read_buf(&mut response).await.unwrap(),
            0,
            "the connection broke"
        );
    }
    String::from_utf8(response).unwrap().to_lowercase()
}

#[tokio::test]
async fn connections_with_incomplete_headers_are_closed() {
    let service = serve(Router::new(), Health::new()).await;
    let mut stream = TcpStream::connect(service.http.trim_start_matches("http://"))
        .await
        .unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let mut response = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut response)).await;
    assert!(end.is_ok(), "the connection is still open after 15 seconds");
    assert!(!response.starts_with(b"HTTP/1.1 2"));
}
