//! REST ↔ gRPC, against a server of the generated code.

use std::{net::SocketAddr, time::Duration};

use contracts::proto::inventory::{
    AvailabilityReply, AvailabilityRequest, QuoteReply, QuoteRequest, SkuAvailability,
    inventory_server::{Inventory, InventoryServer},
};
use serde_json::json;
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

use crate::harness::{assert_problem, edge};

struct Stock;

#[tonic::async_trait]
impl Inventory for Stock {
    async fn quote(&self, _: Request<QuoteRequest>) -> Result<Response<QuoteReply>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn availability(
        &self,
        request: Request<AvailabilityRequest>,
    ) -> Result<Response<AvailabilityReply>, Status> {
        assert!(
            request.metadata().contains_key("grpc-timeout"),
            "the deadline is carried"
        );
        assert!(request.metadata().contains_key("traceparent"), "so is the trace");
        let skus = request.into_inner().skus;
        match skus.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["none"] => return Err(Status::not_found("there is no product none")),
            ["bad sku"] => return Err(Status::invalid_argument("not a SKU")),
            ["busy"] => return Err(Status::unavailable("later")),
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

/// Serves it until the test's runtime ends.
pub(crate) async fn inventory() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder().add_service(InventoryServer::new(Stock));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

#[tokio::test]
async fn a_method_is_a_resource_and_its_statuses_are_http_ones() {
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
        "zeros are said, too"
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
async fn a_method_can_be_a_part_of_a_joined_answer() {
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
