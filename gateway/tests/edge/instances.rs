//! Upstreams with several instances.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};

use axum::{
    Router,
    routing::{any, post},
};
use serde_json::Value;
use souk_http::{Admin, health::Health};
use tokio_util::sync::CancellationToken;

use crate::{
    fleet,
    harness::{free_port, start},
};

#[tokio::test]
async fn a_request_moves_on_with_its_body_if_an_instance_refuses_the_connection() {
    let router = Router::new().route("/echo", post(|body: String| async { body }));
    let up = testkit::spawn(router).await.replace("http://", "");
    let (bind, down) = (free_port(), free_port());
    let _ends = start(&format!(
        r#"
version: 1
listeners: {{edge: {{bind: "{bind}"}}}}
upstreams: {{backend: {{discover: {{static: ["{down}", "{up}"]}}, balance: round_robin}}}}
policies: {{open: [anonymous]}}
routes:
  echo: {{match: {{path: /echo, methods: [POST]}}, use: [open], to: backend}}
  upstreams: {{match: {{path: /upstreams, methods: [GET]}}, use: [open], local: upstreams}}
"#
    ));
    let client = reqwest::Client::new();
    for number in 0..6 {
        let echo = client
            .post(format!("http://{bind}/echo"))
            .body(number.to_string());
        let response = echo.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.text().await.unwrap(), number.to_string());
    }
    let report = client
        .get(format!("http://{bind}/upstreams"))
        .send()
        .await
        .unwrap();
    let report: Value = report.json().await.unwrap();
    let count = |address: String, what: &str| {
        let mut instances = report["items"][0]["instances"].as_array().unwrap().iter();
        let instance = instances.find(|one| one["address"] == address).unwrap();
        instance[what].as_u64().unwrap()
    };
    assert_eq!((count(up.clone(), "requests"), count(up, "failures")), (6, 0));
    assert_eq!(
        (
            count(down.to_string(), "requests"),
            count(down.to_string(), "failures")
        ),
        (0, 3),
        "every second request tries this instance first"
    );
}

/// An instance that shuts down as Souk's services do.
struct Instance {
    stop: CancellationToken,
    served: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Instance {
    async fn start(address: SocketAddr) -> Self {
        let router = Router::new().route("/x", any(async |body: String| body));
        let admin = Admin {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            health: Health::new(),
        };
        let stop = CancellationToken::new();
        let router = souk_http::layers(router);
        let served = tokio::spawn(souk_http::serve(router, address, None, admin, stop.clone()));
        testkit::eventually("the instance listens", Duration::from_secs(10), async || {
            tokio::net::TcpStream::connect(address).await.ok()
        })
        .await;
        Self { stop, served }
    }
}

#[tokio::test]
async fn no_request_fails_while_the_instances_are_restarted_one_after_the_other() {
    // The services bind without `SO_REUSEPORT`; nothing else uses this IP address, so the port stays free in between.
    let address = || SocketAddr::from(([127, 0, 77, 1], free_port().port()));
    let addresses = [address(), address()];
    let mut instances = vec![];
    for address in addresses {
        instances.push(Instance::start(address).await);
    }
    let edge = fleet::edge(&addresses, "balance: round_robin", "");
    let is_over = AtomicBool::new(false);
    let client = async |method: &'static str| {
        let mut requests = 0_usize;
        while !is_over.load(SeqCst) {
            let body = requests.to_string();
            let request = edge.request(method, "/x").body(body.clone());
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 200, "{method} after {requests} requests");
            assert_eq!(response.text().await.unwrap(), body);
            requests += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        requests
    };
    let restarts = async {
        for restarted in (0..instances.len()).cycle().take(12) {
            let instance = &mut instances[restarted];
            instance.stop.cancel();
            (&mut instance.served).await.unwrap().unwrap();
            *instance = Instance::start(addresses[restarted]).await;
        }
        is_over.store(true, SeqCst);
    };
    let clients = futures::future::join_all(["POST", "PUT", "POST", "PUT"].map(client));
    let (requests, ()) = futures::join!(clients, restarts);
    assert!(requests.iter().all(|count| *count > 0), "{requests:?}");
}
