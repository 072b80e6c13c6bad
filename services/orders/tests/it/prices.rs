//! A fake inventory that quotes three products.

use std::collections::BTreeMap;

use contracts::proto::inventory::{
    AvailabilityReply, AvailabilityRequest, Money, QuoteReply, QuoteRequest, QuotedLine,
    inventory_server::{Inventory as InventoryApi, InventoryServer},
};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status, transport::Server, transport::server::TcpIncoming};

/// SKUs and prices in cents. Every other SKU is unknown.
const PRICES: [(&str, i64); 3] = [("TEA-1", 450), ("CUP-1", 1_200), ("POT-1", 3_999)];

/// Starts a server that quotes [`PRICES`], and returns its URL.
pub(crate) async fn start_inventory() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::builder().add_service(InventoryServer::new(Quotes));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    url
}

struct Quotes;

#[tonic::async_trait]
impl InventoryApi for Quotes {
    async fn quote(&self, request: Request<QuoteRequest>) -> Result<Response<QuoteReply>, Status> {
        let prices = BTreeMap::from(PRICES);
        let money = |amount| {
            Some(Money {
                amount,
                currency: "EUR".into(),
            })
        };
        let mut total = 0;
        let mut lines = vec![];
        for item in request.into_inner().items {
            let Some(price) = prices.get(item.sku.as_str()) else {
                return Err(Status::not_found(format!("there is no product {}", item.sku)));
            };
            let line_total = price * i64::from(item.quantity);
            total += line_total;
            lines.push(QuotedLine {
                name: format!("A fine {}", item.sku),
                sku: item.sku,
                quantity: item.quantity,
                unit_price: money(*price),
                line_total: money(line_total),
            });
        }
        Ok(Response::new(QuoteReply {
            lines,
            total: money(total),
        }))
    }

    async fn availability(
        &self,
        _: Request<AvailabilityRequest>,
    ) -> Result<Response<AvailabilityReply>, Status> {
        Err(Status::unimplemented("orders does not call it"))
    }
}
