//! gRPC: what other services ask of the catalog and need an answer to at once (`souk.inventory.v1`).

use std::{collections::BTreeMap, time::Duration};

use contracts::{
    Money, Quantity, Sku,
    proto::inventory::{
        AvailabilityReply, AvailabilityRequest, Money as MoneyMessage, QuoteReply, QuoteRequest, QuotedLine,
        SkuAvailability,
        inventory_server::{Inventory, InventoryServer},
    },
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status,
    transport::{self, Server, server::TcpIncoming},
};

use crate::{
    Error,
    database::{self, Database},
    products::{self, ProductDocument},
};

/// Lines of one question at most.
const MAX_LINES: usize = 100;
/// How long an answer may take when the caller sets no deadline (`grpc-timeout`), which counts if it is shorter.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Serves gRPC until `shutdown`, then finishes what it began.
pub async fn serve(
    db: Database,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), transport::Error> {
    Server::builder()
        .timeout(TIMEOUT)
        .layer(telemetry::grpc::server_layer())
        .add_service(InventoryServer::new(Service { db }))
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener),
            async move { shutdown.cancelled().await },
        )
        .await
}

/// The gRPC service over a database.
#[derive(Debug)]
pub struct Service {
    db: Database,
}

impl Service {
    /// A service that reads `db`.
    #[must_use]
    pub fn new(db: Database) -> Self {
        Self { db }
    }
}

#[tonic::async_trait]
impl Inventory for Service {
    async fn quote(&self, request: Request<QuoteRequest>) -> Result<Response<QuoteReply>, Status> {
        let items = items(&request.into_inner())?;
        let skus: Vec<_> = items.iter().map(|(sku, _)| sku.to_string()).collect();
        let db = self.db.clone();
        let found = database::run(async move { products::find_many(&db, &skus).await })
            .await
            .map_err(|error| status(&error))?;
        quote(&items, &found).map(Response::new)
    }

    async fn availability(
        &self,
        request: Request<AvailabilityRequest>,
    ) -> Result<Response<AvailabilityReply>, Status> {
        let skus = request.into_inner().skus;
        if skus.is_empty() || skus.len() > MAX_LINES {
            return Err(Status::invalid_argument(format!("skus must be 1 to {MAX_LINES}")));
        }
        for (index, sku) in skus.iter().enumerate() {
            sku.parse::<Sku>()
                .map_err(|error| Status::invalid_argument(format!("skus[{index}] {error}")))?;
        }
        let (asked, db) = (skus.clone(), self.db.clone());
        let found = database::run(async move { products::available(&db, asked).await })
            .await
            .map_err(|error| status(&error))?;
        if let ([sku], []) = (skus.as_slice(), found.as_slice()) {
            return Err(Status::not_found(format!("there is no product {sku}")));
        }
        let found: BTreeMap<String, i64> = found.into_iter().collect();
        let items = skus.into_iter().filter_map(|sku| {
            let available = u32::try_from(*found.get(&sku)?).unwrap_or(u32::MAX);
            Some(SkuAvailability {
                sku,
                available,
                in_stock: available > 0,
            })
        });
        Ok(Response::new(AvailabilityReply {
            items: items.collect(),
        }))
    }
}

/// The lines asked for, valid and each SKU once.
fn items(request: &QuoteRequest) -> Result<Vec<(Sku, Quantity)>, Status> {
    if request.items.is_empty() || request.items.len() > MAX_LINES {
        return Err(Status::invalid_argument(format!(
            "items must be 1 to {MAX_LINES}"
        )));
    }
    let mut items: Vec<(Sku, Quantity)> = Vec::with_capacity(request.items.len());
    for (index, item) in request.items.iter().enumerate() {
        let wrong =
            |error: &dyn std::fmt::Display| Status::invalid_argument(format!("items[{index}] {error}"));
        let sku: Sku = item.sku.parse().map_err(|error| wrong(&error))?;
        let quantity = Quantity::try_from(i64::from(item.quantity)).map_err(|error| wrong(&error))?;
        if items.iter().any(|(other, _)| *other == sku) {
            return Err(wrong(&"repeats a SKU"));
        }
        items.push((sku, quantity));
    }
    Ok(items)
}

/// The lines with today's names and prices.
fn quote(items: &[(Sku, Quantity)], found: &[ProductDocument]) -> Result<QuoteReply, Status> {
    let mut lines = Vec::with_capacity(items.len());
    let mut total: Option<Money> = None;
    for (sku, quantity) in items {
        let product = found.iter().find(|product| product.sku == *sku);
        let product = product.ok_or_else(|| Status::not_found(format!("there is no product {sku}")))?;
        let refuse = |error: contracts::MoneyError| Status::invalid_argument(format!("{sku}: {error}"));
        let line_total = product.price.times(quantity.get()).map_err(refuse)?;
        total = Some(match total {
            Some(total) => total.checked_add(line_total).map_err(refuse)?,
            None => line_total,
        });
        lines.push(QuotedLine {
            sku: sku.to_string(),
            name: product.name.clone(),
            quantity: quantity.get(),
            unit_price: Some(message(product.price)),
            line_total: Some(message(line_total)),
        });
    }
    Ok(QuoteReply {
        lines,
        total: total.map(message),
    })
}

fn message(money: Money) -> MoneyMessage {
    MoneyMessage {
        amount: money.amount,
        currency: money.currency.to_string(),
    }
}

/// What a caller is told; the cause goes to the log, once.
fn status(error: &Error) -> Status {
    if error.is_outage() {
        tracing::warn!(error = error.chain(), "the catalog's database is away");
        return Status::unavailable("the catalog's database does not answer at the moment");
    }
    tracing::error!(error = error.chain(), "cannot answer");
    Status::internal("something went wrong on our side")
}
