//! A service registers itself in Consul. The tests provide the parts of the agent's API that it uses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::{get, put},
};
use serde_json::{Value, json};
use souk_config::Consul;
use souk_http::{Admin, Registration, health::Health};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;

const TIMEOUT: Duration = Duration::from_secs(10);

/// The services that an agent knows, by id, whether its API fails, and how often it has failed.
#[derive(Debug, Clone, Default)]
struct Agent {
    services: Arc<Mutex<BTreeMap<String, Value>>>,
    is_failing: Arc<AtomicBool>,
    failures: Arc<AtomicUsize>,
}

impl Agent {
    fn router(&self) -> Router {
        Router::new()
            .route("/v1/agent/service/register", put(register))
            .route("/v1/agent/service/deregister/{id}", put(deregister))
            .route("/v1/agent/service/{id}", get(get_service))
            .with_state(self.clone())
    }

    fn check(&self, headers: &HeaderMap) -> Result<(), StatusCode> {
        assert_eq!(headers["x-consul-token"], "secret");
        if self.is_failing.load(Ordering::Relaxed) {
            self.failures.fetch_add(1, Ordering::Relaxed);
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        }
        Ok(())
    }

    fn ids(&self) -> Vec<String> {
        self.services.lock().unwrap().keys().cloned().collect()
    }

    async fn until_known(&self, expected: &[String]) {
        testkit::eventually(&format!("the services {expected:?}"), TIMEOUT, async || {
            (self.ids() == expected).then_some(())
        })
        .await;
    }
}

async fn register(
    State(agent): State<Agent>,
    headers: HeaderMap,
    Json(service): Json<Value>,
) -> Result<(), StatusCode> {
    agent.check(&headers)?;
    let id = service["ID"].as_str().unwrap().to_owned();
    agent.services.lock().unwrap().insert(id, service);
    Ok(())
}

async fn deregister(
    State(agent): State<Agent>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<(), StatusCode> {
    agent.check(&headers)?;
    agent.services.lock().unwrap().remove(&id);
    Ok(())
}

async fn get_service(
    State(agent): State<Agent>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, StatusCode> {
    agent.check(&headers)?;
    let services = agent.services.lock().unwrap();
    services.get(&id).cloned().map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
}

/// A service with an HTTP and a gRPC address that registers itself.
struct Service {
    settings: Consul,
    is_ready: Arc<AtomicBool>,
    /// Completes the shutdown signal.
    stop: oneshot::Sender<()>,
    registration: JoinHandle<()>,
    /// Stops the HTTP server, which a service does when its registration has ended.
    close: CancellationToken,
}

impl Service {
    async fn start(url: &str) -> Self {
        let (http, grpc, admin) = (free_address().await, free_address().await, free_address().await);
        let settings = Consul {
            url: url.to_owned(),
            token: Some("secret".to_owned().into()),
            advertised: None,
            http_addr: Some(http),
            grpc_addr: Some(grpc),
            admin_addr: Some(admin),
        };
        let is_ready = Arc::new(AtomicBool::new(false));
        let checked = Arc::clone(&is_ready);
        let health = Health::new().check("test", move || {
            let is_ready = checked.load(Ordering::Relaxed);
            async move { is_ready.then_some(()).ok_or(anyhow::anyhow!("not ready")) }
        });
        let close = CancellationToken::new();
        let router = Router::new().route("/", get(async || "ok"));
        tokio::spawn(souk_http::serve(
            router,
            http,
            None,
            Admin { addr: admin, health },
            close.clone(),
        ));
        let (stop, stopped) = oneshot::channel();
        let registration = Registration::new("orders", settings.clone()).unwrap().unwrap();
        let registration = tokio::spawn(registration.keep_until(async {
            let _ = stopped.await;
        }));
        let service = Self {
            settings,
            is_ready,
            stop,
            registration,
            close,
        };
        testkit::eventually("the service answers", TIMEOUT, async || service.get().await).await;
        service
    }

    fn ids(&self) -> [String; 2] {
        let port = |addr: Option<SocketAddr>| addr.unwrap().port();
        [
            format!("orders-127.0.0.1-{}", port(self.settings.http_addr)),
            format!("orders-grpc-127.0.0.1-{}", port(self.settings.grpc_addr)),
        ]
    }

    async fn get(&self) -> Option<StatusCode> {
        let url = format!("http://{}/", self.settings.http_addr.unwrap());
        Some(reqwest::get(url).await.ok()?.status())
    }
}

#[tokio::test]
async fn a_service_is_registered_while_it_runs() {
    let agent = Agent::default();
    let url = testkit::spawn(agent.router()).await;
    let service = Service::start(&url).await;
    assert_eq!(agent.ids(), Vec::<String>::new(), "it is not ready");
    service.is_ready.store(true, Ordering::Relaxed);
    agent.until_known(&service.ids()).await;
    let [http, grpc] = service.ids();
    let port = service.settings.http_addr.unwrap().port();
    let admin = service.settings.admin_addr.unwrap();
    let known = agent.services.lock().unwrap().clone();
    assert_eq!(
        known[&http],
        json!({
            "ID": http, "Name": "orders", "Address": "127.0.0.1", "Port": port,
            "Check": {
                "Name": "ready", "HTTP": format!("http://{admin}/readyz"), "Interval": "5s", "Timeout": "3s",
                "Status": "passing", "DeregisterCriticalServiceAfter": "1m",
            },
        })
    );
    assert_eq!(known[&grpc]["Name"], "orders-grpc");

    // The agent has restarted without its state.
    agent.services.lock().unwrap().clear();
    agent.until_known(&service.ids()).await;

    // It is deregistered before it stops accepting requests.
    service.stop.send(()).unwrap();
    agent.until_known(&[]).await;
    assert!(!service.registration.is_finished());
    let url = format!("http://{}/", service.settings.http_addr.unwrap());
    assert_eq!(reqwest::get(&url).await.unwrap().status(), StatusCode::OK);
    service.registration.await.unwrap();
    service.close.cancel();
    assert_eq!(agent.ids(), Vec::<String>::new());
}

#[tokio::test]
async fn an_agent_that_fails_is_tried_again() {
    let agent = Agent::default();
    agent.is_failing.store(true, Ordering::Relaxed);
    let url = testkit::spawn(agent.router()).await;
    let service = Service::start(&url).await;
    service.is_ready.store(true, Ordering::Relaxed);
    testkit::eventually("two failures", TIMEOUT, async || {
        (agent.failures.load(Ordering::Relaxed) > 1).then_some(())
    })
    .await;
    assert!(telemetry::metrics::encode().contains("consul_failures_total"));
    assert_eq!(
        service.get().await,
        Some(StatusCode::OK),
        "the service works without Consul"
    );
    agent.is_failing.store(false, Ordering::Relaxed);
    agent.until_known(&service.ids()).await;
}

#[tokio::test]
async fn an_agent_that_hangs_delays_the_shutdown_by_a_second_at_most() {
    let agent = Agent::default();
    let hangs = Arc::new(AtomicBool::new(false));
    let checked = Arc::clone(&hangs);
    let app = agent.router().layer(axum::middleware::from_fn(
        move |request: axum::extract::Request, next: axum::middleware::Next| {
            let hangs = checked.load(Ordering::Relaxed);
            async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                next.run(request).await
            }
        },
    ));
    let service = Service::start(&testkit::spawn(app).await).await;
    service.is_ready.store(true, Ordering::Relaxed);
    agent.until_known(&service.ids()).await;
    hangs.store(true, Ordering::Relaxed);
    let started = Instant::now();
    service.stop.send(()).unwrap();
    service.registration.await.unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn the_address_of_a_service_that_listens_on_all_addresses_is_found_out_or_set() {
    let agent = Agent::default();
    let url = testkit::spawn(agent.router()).await;
    let admin = free_address().await;
    let router = Health::new().router();
    let listener = TcpListener::bind(admin).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    for (advertised, id, address, check) in [
        // The agent is on this machine, so the service has its address.
        (None, "orders-8082", "", "127.0.0.1"),
        (
            Some("shop.example"),
            "orders-shop.example-8082",
            "shop.example",
            "shop.example",
        ),
        (Some("::1"), "orders-::1-8082", "::1", "[::1]"),
    ] {
        let settings = Consul {
            url: url.clone(),
            token: Some("secret".to_owned().into()),
            advertised: advertised.map(str::to_owned),
            http_addr: Some("0.0.0.0:8082".parse().unwrap()),
            grpc_addr: None,
            admin_addr: Some(SocketAddr::new("0.0.0.0".parse().unwrap(), admin.port())),
        };
        let registration = Registration::new("orders", settings).unwrap().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let registration = tokio::spawn(registration.keep_until(async {
            let _ = stopped.await;
        }));
        agent.until_known(&[id.to_owned()]).await;
        let known = agent.services.lock().unwrap()[id].clone();
        assert_eq!(known["Address"], address);
        let expected = format!("http://{check}:{}/readyz", admin.port());
        assert_eq!(known["Check"]["HTTP"], expected);
        stop.send(()).unwrap();
        agent.until_known(&[]).await;
        registration.abort();
    }
}

#[test]
fn a_process_without_an_api_is_not_registered() {
    let settings = Consul {
        url: "http://127.0.0.1:8500".to_owned(),
        token: None,
        advertised: None,
        http_addr: None,
        grpc_addr: None,
        admin_addr: Some("127.0.0.1:9090".parse().unwrap()),
    };
    assert!(Registration::new("gateway", settings).unwrap().is_none());
}
