//! Transcoding between JSON and gRPC, against a server with the generated code.

use std::{net::SocketAddr, time::Duration};

use contracts::proto::inventory::{
    AvailabilityReply, AvailabilityRequest, QuoteReply, QuoteRequest, SkuAvailability,
    inventory_server::{Inventory, InventoryServer},
};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

use crate::harness::{assert_problem, edge, free_port, start};

struct Stock;

#[tonic::async_trait]
impl Inventory for Stock {
    async fn quote(&self, _: Request<QuoteRequest>) -> Result<Response<QuoteReply>, Status> {
        Err(Status::unimplemented("not used by this test"))
    }

    async fn availability(
        &self,
        request: Request<AvailabilityRequest>,
    ) -> Result<Response<AvailabilityReply>, Status> {
        assert!(
            request.metadata().contains_key("grpc-timeout"),
            "the deadline is forwarded"
        );
        assert!(
            request.metadata().contains_key("traceparent"),
            "the trace context is forwarded"
        );
        let skus = request.into_inner().skus;
        match skus.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["none"] => return Err(Status::not_found("the product does not exist")),
            ["bad sku"] => return Err(Status::invalid_argument("not a SKU")),
            ["busy"] => return Err(Status::unavailable("try later")),
            ["broken"] => return Err(Status::internal("SELECT secret FROM table")),
            ["slow"] => tokio::time::sleep(Duration::from_mins(1)).await,
            _ => {}
        }
        let items = skus.into_iter().map(|sku| {
            let available = u32::from(sku == "A") * 3;
            SkuAvailability {
                sku,
                available,
                in_stock: available > 0,
            }
        });
        Ok(Response::new(AvailabilityReply {
            items: items.collect(),
        }))
    }
}

/// Starts an inventory server that runs until the test's runtime ends.
pub(crate) async fn inventory() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder().add_service(InventoryServer::new(Stock));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

/// The routes of an inventory server, for a server that also speaks HTTP/2.
pub(crate) fn routes() -> axum::Router {
    tonic::service::Routes::new(InventoryServer::new(Stock)).into_axum_router()
}

#[tokio::test]
async fn a_grpc_method_is_served_as_json_and_its_statuses_become_http_statuses() {
    let edge = edge().await;
    let (status, answer) = edge.get("/stock/A").await;
    assert_eq!(
        (status, answer),
        (200, json!({"sku": "A", "available": 3, "in_stock": true}))
    );
    let (_, answer) = edge.get("/stock/B").await;
    assert_eq!(
        answer,
        json!({"sku": "B", "available": 0, "in_stock": false}),
        "default values are included"
    );
    assert_problem(edge.get("/stock/none").await, 404);
    assert_problem(edge.get("/stock/bad%20sku").await, 422);
    assert_problem(edge.get("/stock/busy").await, 503);
    assert_problem(edge.get("/stock/slow").await, 504);
    let broken = edge.get("/stock/broken").await;
    assert!(!broken.1.to_string().contains("SELECT"), "{:#}", broken.1);
    assert_problem(broken, 502);
}

#[tokio::test]
async fn grpc_calls_are_distributed_and_avoid_an_instance_that_refuses_connections() {
    let (one, other, down, bind) = (inventory().await, inventory().await, free_port(), free_port());
    let _guard = start(&format!(
        "version: 1\nlisteners: {{edge: {{bind: \"{bind}\"}}}}\n\
         upstreams: {{grpc: {{discover: {{static: [\"{down}\", \"{one}\", \"{other}\"]}}, protocol: grpc, balance: round_robin}}}}\n\
         policies: {{open: [anonymous]}}\nroutes:\n  \
         stock: {{match: {{path: \"/stock/{{sku}}\", methods: [GET]}}, use: [open], to: grpc, grpc: {{method: souk.inventory.v1.Inventory/Availability, request: {{skus: [\"{{sku}}\"]}}}}}}\n  \
         upstreams: {{match: {{path: /upstreams, methods: [GET]}}, use: [open], local: upstreams}}\n"
    ));
    for _ in 0..9 {
        let answer = reqwest::get(format!("http://{bind}/stock/A")).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let report = reqwest::get(format!("http://{bind}/upstreams")).await.unwrap();
    let report: serde_json::Value = report.json().await.unwrap();
    let instances = report["items"][0]["instances"].as_array().unwrap();
    let requests: Vec<_> = instances
        .iter()
        .map(|one| one["requests"].as_u64().unwrap())
        .collect();
    assert_eq!(requests[0], 0);
    assert_eq!(requests[1] + requests[2], 9);
    assert!(requests[1].min(requests[2]) >= 2, "{requests:?}");
    assert!(instances[0]["failures"].as_u64().unwrap() >= 3);
}

/// The type of the frame with which a call begins.
const HEADERS: u8 = 1;

/// Starts an instance that breaks each connection when the first call arrives.
async fn broken_instance() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // The preface of HTTP/2, and then frames: a length of three bytes, the type, and five more bytes.
                stream.read_exact(&mut [0; 24]).await?;
                loop {
                    let mut head = [0; 9];
                    stream.read_exact(&mut head).await?;
                    if head[3] == HEADERS {
                        return std::io::Result::Ok(());
                    }
                    let mut rest = vec![0; usize::from(head[2])];
                    stream.read_exact(&mut rest).await?;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_read_whose_connection_breaks_is_sent_to_another_instance() {
    let (broken, good, bind) = (broken_instance().await, inventory().await, free_port());
    let call =
        "to: grpc, grpc: {method: souk.inventory.v1.Inventory/Availability, request: {skus: [\"{sku}\"]}}";
    let _guard = start(&format!(
        "version: 1\nlisteners: {{edge: {{bind: \"{bind}\"}}}}\n\
         upstreams: {{grpc: {{discover: {{static: [\"{broken}\", \"{good}\"]}}, protocol: grpc, balance: round_robin}}}}\n\
         policies: {{open: [anonymous], safe: [{{retry: {{max: 1}}}}]}}\nroutes:\n  \
         read: {{match: {{path: \"/read/{{sku}}\", methods: [GET]}}, use: [open, safe], {call}}}\n  \
         once: {{match: {{path: \"/once/{{sku}}\", methods: [GET]}}, use: [open], {call}}}\n  \
         write: {{match: {{path: \"/write/{{sku}}\", methods: [POST]}}, use: [open, safe], {call}}}\n"
    ));
    let client = reqwest::Client::new();
    let statuses = async |method: reqwest::Method, path: &str| {
        let mut statuses = vec![];
        for _ in 0..6 {
            let request = client.request(method.clone(), format!("http://{bind}/{path}/A"));
            statuses.push(request.send().await.unwrap().status().as_u16());
        }
        statuses.sort_unstable();
        statuses
    };
    assert_eq!(statuses(reqwest::Method::GET, "read").await, [200; 6]);
    for (method, path) in [(reqwest::Method::GET, "once"), (reqwest::Method::POST, "write")] {
        assert_eq!(
            statuses(method, path).await,
            [200, 200, 200, 502, 502, 502],
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_grpc_method_can_be_a_part_of_a_joined_response() {
    let edge = edge().await;
    let (status, answer) = edge.get("/stocked/7").await;
    assert_eq!(status, 200, "{answer:#}");
    assert_eq!(answer["lines"][0]["stock"]["available"], 3, "{answer:#}");
    assert_eq!(answer["lines"][1]["stock"]["in_stock"], false, "{answer:#}");
    assert_eq!(
        answer["total"],
        json!({"amount": 25, "currency": "EUR"}),
        "{answer:#}"
    );
    assert_eq!(answer["degraded"], json!([]));
}
