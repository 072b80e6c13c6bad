//! The gRPC service `souk.inventory.v1`: synchronous price quotes and availability for other services.

use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use contracts::{
    Money, Quantity, Sku,
    proto::inventory::{
        AvailabilityReply, AvailabilityRequest, Money as MoneyMessage, QuoteReply, QuoteRequest, QuotedLine,
        SkuAvailability,
        inventory_server::{Inventory, InventoryServer},
    },
};
use futures::TryStreamExt as _;
use souk_tls::{Acceptor, TlsStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpListener,
};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status,
    transport::{
        self, Server,
        server::{Connected, TcpIncoming},
    },
};

use crate::{
    Error,
    database::{self, Database},
    products::{self, ProductDocument},
};

/// Maximum number of lines or SKUs in one request.
const MAX_LINES: usize = 100;
/// Maximum duration of a request. A shorter deadline set by the caller (`grpc-timeout`) takes precedence.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Serves gRPC until `shutdown` is cancelled, then completes the requests in progress. With `tls`, only its callers can
/// connect.
pub async fn serve(
    db: Database,
    listener: TcpListener,
    tls: Option<Acceptor>,
    shutdown: CancellationToken,
) -> Result<(), transport::Error> {
    let server = Server::builder()
        .timeout(TIMEOUT)
        .layer(telemetry::grpc::server_layer())
        .add_service(InventoryServer::new(Service { db }));
    let shutdown = async move { shutdown.cancelled().await };
    match tls {
        None => {
            let incoming = TcpIncoming::from(listener);
            server.serve_with_incoming_shutdown(incoming, shutdown).await
        }
        Some(tls) => {
            let incoming = tls.incoming(listener).map_ok(Encrypted);
            server.serve_with_incoming_shutdown(incoming, shutdown).await
        }
    }
}

/// A TLS connection in the form that tonic requires.
struct Encrypted(TlsStream);

impl Connected for Encrypted {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// The gRPC service `souk.inventory.v1` on a database.
#[derive(Debug)]
pub struct Service {
    db: Database,
}

impl Service {
    /// Creates a service that reads from `db`.
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
        let (requested, db) = (skus.clone(), self.db.clone());
        let found = database::run(async move { products::available(&db, requested).await })
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

/// Validates the requested lines; each SKU may occur only once.
fn items(request: &QuoteRequest) -> Result<Vec<(Sku, Quantity)>, Status> {
    if request.items.is_empty() || request.items.len() > MAX_LINES {
        return Err(Status::invalid_argument(format!(
            "items must be 1 to {MAX_LINES}"
        )));
    }
    let mut items: Vec<(Sku, Quantity)> = Vec::with_capacity(request.items.len());
    for (index, item) in request.items.iter().enumerate() {
        let invalid =
            |error: &dyn std::fmt::Display| Status::invalid_argument(format!("items[{index}] {error}"));
        let sku: Sku = item.sku.parse().map_err(|error| invalid(&error))?;
        let quantity = Quantity::try_from(i64::from(item.quantity)).map_err(|error| invalid(&error))?;
        if items.iter().any(|(other, _)| *other == sku) {
            return Err(invalid(&"repeats a SKU"));
        }
        items.push((sku, quantity));
    }
    Ok(items)
}

/// Computes the quote with the current names and prices.
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

/// Converts an error to a gRPC status and logs its cause.
fn status(error: &Error) -> Status {
    if error.is_outage() {
        tracing::warn!(
            error = error.chain(),
            "the database is unavailable; responding with UNAVAILABLE"
        );
        return Status::unavailable("the catalog is unavailable at the moment; try again later");
    }
    tracing::error!(
        error = error.chain(),
        "the request failed; responding with INTERNAL"
    );
    Status::internal("internal error")
}
