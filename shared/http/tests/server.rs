//! The server itself: what it answers by itself, and how it ends.

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

const PATIENCE: Duration = Duration::from_secs(5);

async fn free() -> SocketAddr {
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
    let (http, addr) = (free().await, free().await);
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(souk_http::serve(
        router,
        http,
        Admin { addr, health },
        shutdown.clone(),
    ));
    let admin = format!("http://{addr}");
    testkit::eventually("the service answers", PATIENCE, async || {
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
async fn everything_it_answers_by_itself_is_a_problem() {
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
        let answer = request.header("x-request-id", "r-1").send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(
            answer.headers()["content-type"],
            "application/problem+json",
            "{method} {path}"
        );
        assert_eq!(answer.headers()["x-request-id"], "r-1", "{method} {path}");
        let text = answer.text().await.unwrap();
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
async fn ready_only_while_everything_it_needs_works() {
    let database = souk_http::database::pool(&format!("postgres://x@{}/x", free().await), 1).unwrap();
    let health = Health::new()
        .postgres(&database)
        .check("fine", || async { anyhow::Ok(()) });
    let service = serve(Router::new(), health).await;
    let answer = reqwest::get(format!("{}/readyz", service.admin)).await.unwrap();
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers().contains_key("retry-after")
        ),
        (503, true)
    );
    let problem: ProblemBody = answer.json().await.unwrap();
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
async fn a_shutdown_stops_being_ready_and_finishes_what_it_began() {
    let (begun, has_begun) = oneshot::channel();
    let (finish, may_finish) = oneshot::channel::<()>();
    let once = std::sync::Arc::new(std::sync::Mutex::new(Some((begun, may_finish))));
    let slow = get(move || {
        let (begun, may_finish) = once.lock().unwrap().take().unwrap();
        async move {
            begun.send(()).unwrap();
            may_finish.await.unwrap();
            "done"
        }
    });
    let service = serve(Router::new().route("/slow", slow), Health::new()).await;
    let ready = format!("{}/readyz", service.admin);
    assert_eq!(reqwest::get(&ready).await.unwrap().status(), 200);
    let answer = tokio::spawn(reqwest::get(format!("{}/slow", service.http)));
    has_begun.await.unwrap();
    service.shutdown.cancel();
    testkit::eventually("not ready any more", PATIENCE, async || {
        (reqwest::get(&ready).await.ok()?.status() == 503).then_some(())
    })
    .await;
    finish.send(()).unwrap();
    assert_eq!(answer.await.unwrap().unwrap().text().await.unwrap(), "done");
    tokio::time::timeout(PATIENCE, service.served)
        .await
        .expect("it ends")
        .unwrap()
        .unwrap();
    assert!(reqwest::get(&ready).await.is_err(), "the admin listener ends too");
}

#[tokio::test]
async fn headers_that_dawdle_are_cut_off() {
    let service = serve(Router::new(), Health::new()).await;
    let mut stream = TcpStream::connect(service.http.trim_start_matches("http://"))
        .await
        .unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let mut answer = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
    assert!(end.is_ok(), "the connection is still open after 15 seconds");
    assert!(!answer.starts_with(b"HTTP/1.1 2"));
}
