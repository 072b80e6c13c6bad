//! gRPC client for quotes from inventory: names and prices, requested while the shopper waits. Calls have a deadline and a
//! small circuit breaker, so that requests fail fast with 503 while inventory is unavailable, instead of after two seconds.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contracts::{
    Money, OrderItem, Quantity, Sku,
    proto::inventory::{
        Item, Money as MoneyMessage, QuoteReply, QuoteRequest, QuotedLine, inventory_client::InventoryClient,
    },
};
use souk_tls::Protocol;
use telemetry::{grpc::Traced, metrics::Gauge};
use tokio::time::{Instant, timeout};
use tonic::{
    Code, Request, Response, Status,
    transport::{Channel, Endpoint},
};

use crate::orders::LineView;

/// Timeout of one call.
const DEADLINE: Duration = Duration::from_secs(2);
/// How long a waiting call may receive nothing before the connection is tested with a ping.
const PING_AFTER: Duration = Duration::from_millis(300);
/// Timeout for the answer to the ping. After that, the call is sent once more, on a new connection; together with
/// [`PING_AFTER`], this leaves enough time within [`DEADLINE`]. A service answers the ping even if its calls are slow.
const PING_TIMEOUT: Duration = Duration::from_millis(900);
/// Number of consecutive failures that open the breaker.
const FAILURES_TO_OPEN: u32 = 5;
/// How long the breaker stays open.
const OPEN_DURATION: Duration = Duration::from_secs(1);

static BREAKER: Gauge = Gauge::gauge(
    "breaker_state",
    "State of the circuit breaker: 0 closed, calls pass; 1 open, calls fail at once",
);

/// Order lines with their current names and prices.
#[derive(Debug, Clone)]
pub struct Quote {
    /// One line for each requested item, in the order of the request.
    pub lines: Vec<LineView>,
    /// The sum of all lines, in their common currency.
    pub total: Money,
}

/// Why inventory returned no quote.
#[derive(Debug, thiserror::Error)]
pub enum QuoteError {
    /// There is no product with this SKU, or it is no longer sold.
    #[error("there is no product {0}")]
    Unknown(String),
    /// The items cannot be combined in one order, for the reason that inventory gives.
    #[error("{0}")]
    Invalid(String),
    /// Inventory is unavailable or too slow, or its reply does not match the request.
    #[error("inventory is unavailable")]
    Unavailable(#[source] Option<Box<Status>>),
}

/// Client for quotes from inventory. Connects on first use and reconnects by itself.
#[derive(Debug, Clone)]
pub struct Inventory {
    client: InventoryClient<Traced<Channel>>,
    breaker: Arc<Mutex<Breaker>>,
}

fn endpoint(url: &str) -> Result<Endpoint, tonic::transport::Error> {
    Ok(Endpoint::from_shared(url.to_owned())?
        .connect_timeout(Duration::from_secs(1))
        .http2_keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PING_TIMEOUT)
        .tcp_nodelay(true))
}

#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

impl Inventory {
    /// Creates a client for the gRPC endpoint at `url`, such as `http://inventory:9083`. Fails if that is not a URL.
    pub fn new(url: &str) -> Result<Self, tonic::transport::Error> {
        Ok(Self::on(endpoint(url)?.connect_lazy()))
    }

    /// Like [`Inventory::new`]. With `tls`, calls use mutual TLS. Fails also if a file of `tls` cannot be used, or if the URL
    /// does not begin with `https://`.
    pub fn with_tls(url: &str, tls: Option<&souk_tls::Settings>) -> anyhow::Result<Self> {
        let Some(tls) = tls else {
            return Ok(Self::new(url)?);
        };
        anyhow::ensure!(
            url.starts_with("https://"),
            "the URL must begin with https://, because SOUK_TLS_CERT is set"
        );
        let connector = tls.connector("inventory", Protocol::Http2)?;
        Ok(Self::on(endpoint(url)?.connect_with_connector_lazy(connector)))
    }

    fn on(channel: Channel) -> Self {
        BREAKER.of([("upstream", "inventory")]);
        Self {
            client: InventoryClient::new(telemetry::grpc::client(channel)),
            breaker: Arc::default(),
        }
    }

    /// Returns the current names and prices of `items`, in which each SKU must occur once. Fails after two seconds at most.
    pub async fn quote(&self, items: &[OrderItem]) -> Result<Quote, QuoteError> {
        if !self.allows_call() {
            return Err(QuoteError::Unavailable(None));
        }
        let result = self.call(items).await;
        self.record(!matches!(result, Err(QuoteError::Unavailable(_))));
        result
    }

    async fn call(&self, items: &[OrderItem]) -> Result<Quote, QuoteError> {
        let item = |item: &OrderItem| Item {
            sku: item.sku.to_string(),
            quantity: item.quantity.get(),
        };
        let request = QuoteRequest {
            items: items.iter().map(item).collect(),
        };
        let response = timeout(DEADLINE, self.send(request))
            .await
            .unwrap_or_else(|_| Err(Status::deadline_exceeded("no response within 2 s")));
        let reply = response
            .map_err(|status| quote_error(items, status))?
            .into_inner();
        parse(reply, items).ok_or_else(|| {
            QuoteError::Unavailable(Some(Box::new(Status::internal(
                "the quote does not match the request",
            ))))
        })
    }

    /// Sends a request. If it fails, sends it once more, because the instance that the connection leads to may be shutting
    /// down or have vanished; the second request uses a new connection.
    async fn send(&self, request: QuoteRequest) -> Result<Response<QuoteReply>, Status> {
        let with_deadline = |message| {
            let mut request = Request::new(message);
            request.set_timeout(DEADLINE);
            request
        };
        let mut client = self.client.clone();
        match client.quote(with_deadline(request.clone())).await {
            Err(status) if is_transport_failure(&status) => client.quote(with_deadline(request)).await,
            result => result,
        }
    }

    /// Whether the breaker lets a call pass. Once it has been open long enough, every call passes until one fails. If it let
    /// a single probe pass instead, one of two simultaneous orders would be refused although inventory has recovered.
    fn allows_call(&self) -> bool {
        let breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        breaker.open_until.is_none_or(|until| Instant::now() >= until)
    }

    fn record(&self, succeeded: bool) {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        if succeeded {
            *breaker = Breaker::default();
        } else {
            breaker.failures += 1;
            if breaker.failures >= FAILURES_TO_OPEN {
                breaker.open_until = Some(Instant::now() + OPEN_DURATION);
            }
        }
        let state = if breaker.open_until.is_some() { 1.0 } else { 0.0 };
        BREAKER.of([("upstream", "inventory")]).set(state);
    }
}

/// Whether a request may have failed because its connection broke.
fn is_transport_failure(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled
    )
}

fn quote_error(items: &[OrderItem], status: Status) -> QuoteError {
    match status.code() {
        // The message ends with the SKU.
        Code::NotFound => {
            let last_word = status
                .message()
                .split_whitespace()
                .next_back()
                .unwrap_or_default();
            let sku = items.iter().find(|item| item.sku.as_str() == last_word);
            QuoteError::Unknown(sku.map_or_else(String::new, |item| item.sku.to_string()))
        }
        Code::InvalidArgument | Code::OutOfRange => QuoteError::Invalid(status.message().to_owned()),
        _ => QuoteError::Unavailable(Some(Box::new(status))),
    }
}

/// Converts the reply. None unless it has a line for every requested item and its sums are correct, so that no order is
/// placed at a wrong price.
fn parse(reply: QuoteReply, items: &[OrderItem]) -> Option<Quote> {
    let lines: Vec<LineView> = reply.lines.into_iter().map(parse_line).collect::<Option<_>>()?;
    let is_for = |line: &LineView, item: &OrderItem| line.sku == item.sku && line.quantity == item.quantity;
    let matches =
        lines.len() == items.len() && lines.iter().zip(items).all(|(line, item)| is_for(line, item));
    let total = parse_money(reply.total)?;
    let sum = lines.iter().try_fold(Money::zero(total.currency), |sum, line| {
        sum.checked_add(line.line_total).ok()
    })?;
    (matches && sum == total).then_some(Quote { lines, total })
}

fn parse_line(line: QuotedLine) -> Option<LineView> {
    let quantity = Quantity::try_from(i64::from(line.quantity)).ok()?;
    let (unit_price, line_total) = (parse_money(line.unit_price)?, parse_money(line.line_total)?);
    (unit_price.amount >= 0 && unit_price.times(quantity.get()).ok()? == line_total).then_some(LineView {
        sku: Sku::try_from(line.sku).ok()?,
        name: line.name,
        quantity,
        unit_price,
        line_total,
    })
}

fn parse_money(money: Option<MoneyMessage>) -> Option<Money> {
    let money = money?;
    Some(Money::new(money.amount, money.currency.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn after_the_open_time_every_call_passes_until_one_fails() {
        let inventory = Inventory::new("http://127.0.0.1:1").unwrap();
        (1..FAILURES_TO_OPEN).for_each(|_| inventory.record(false));
        assert!(inventory.allows_call());
        inventory.record(false);
        assert!(!inventory.allows_call());
        inventory.breaker.lock().unwrap().open_until = Some(Instant::now());
        // Two orders at the same moment.
        assert!(inventory.allows_call() && inventory.allows_call());
        inventory.record(false);
        assert!(!inventory.allows_call());
        inventory.record(true);
        assert!(inventory.allows_call());
    }
}
