//! What orders asks of inventory while the shopper waits: names and prices, over gRPC, with a deadline and a small
//! breaker, so that an inventory that is away costs a fast 503 and not two seconds a request.

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
use telemetry::{grpc::Traced, metrics::Gauge};
use tokio::time::{Instant, timeout};
use tonic::{
    Code, Request, Status,
    transport::{Channel, Endpoint},
};

use crate::orders::LineView;

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(2);
/// Failures in a row that open the breaker.
const FAILURES: u32 = 5;
/// How long it stays open.
const OPEN: Duration = Duration::from_secs(1);

static BREAKER: Gauge = Gauge::gauge("breaker_state", "Whether calls are let through: 0 closed, 1 open");

/// Lines with their prices of now.
#[derive(Debug, Clone)]
pub struct Quote {
    /// As asked for, in that order.
    pub lines: Vec<LineView>,
    /// Their sum.
    pub total: Money,
}

/// Why there is no quote.
#[derive(Debug, thiserror::Error)]
pub enum QuoteError {
    /// The SKU is none, or no longer.
    #[error("there is no product {0}")]
    Unknown(String),
    /// These lines cannot be one order.
    #[error("{0}")]
    Invalid(String),
    /// It is away, slow, or does not make sense.
    #[error("inventory does not answer")]
    Unavailable(#[source] Option<Box<Status>>),
}

/// A client of inventory. Connects when first used, and again by itself.
#[derive(Debug, Clone)]
pub struct Inventory {
    client: InventoryClient<Traced<Channel>>,
    breaker: Arc<Mutex<Breaker>>,
}

#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

impl Inventory {
    /// At `url`, such as `http://inventory:9083`.
    pub fn new(url: &str) -> Result<Self, tonic::transport::Error> {
        let channel = Endpoint::from_shared(url.to_owned())?
            .connect_timeout(Duration::from_secs(1))
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(2))
            .tcp_nodelay(true)
            .connect_lazy();
        BREAKER.of([("upstream", "inventory")]);
        Ok(Self {
            client: InventoryClient::new(telemetry::grpc::client(channel)),
            breaker: Arc::default(),
        })
    }

    /// Names and prices of `items`, each SKU once.
    pub async fn quote(&self, items: &[OrderItem]) -> Result<Quote, QuoteError> {
        if !self.may_ask() {
            return Err(QuoteError::Unavailable(None));
        }
        let result = self.ask(items).await;
        self.note(!matches!(result, Err(QuoteError::Unavailable(_))));
        result
    }

    async fn ask(&self, items: &[OrderItem]) -> Result<Quote, QuoteError> {
        let item = |item: &OrderItem| Item {
            sku: item.sku.to_string(),
            quantity: item.quantity.get(),
        };
        let mut request = Request::new(QuoteRequest {
            items: items.iter().map(item).collect(),
        });
        request.set_timeout(DEADLINE);
        let mut client = self.client.clone();
        let answer = timeout(DEADLINE, client.quote(request))
            .await
            .unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in 2 s")));
        let reply = answer.map_err(|status| refused(items, status))?.into_inner();
        read(reply, items).ok_or_else(|| {
            QuoteError::Unavailable(Some(Box::new(Status::internal(
                "the quote does not fit the question",
            ))))
        })
    }

    /// When the pause is over, all may ask again until one of them fails. With a single probe, one of two orders that come
    /// together after a quiet time would be refused although inventory is well.
    fn may_ask(&self) -> bool {
        let breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        breaker.open_until.is_none_or(|until| Instant::now() >= until)
    }

    fn note(&self, worked: bool) {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        if worked {
            *breaker = Breaker::default();
        } else {
            breaker.failures += 1;
            if breaker.failures >= FAILURES {
                breaker.open_until = Some(Instant::now() + OPEN);
            }
        }
        let state = if breaker.open_until.is_some() { 1.0 } else { 0.0 };
        BREAKER.of([("upstream", "inventory")]).set(state);
    }
}

fn refused(items: &[OrderItem], status: Status) -> QuoteError {
    match status.code() {
        // The message names the SKU.
        Code::NotFound => {
            let named = status
                .message()
                .split_whitespace()
                .next_back()
                .unwrap_or_default();
            let sku = items.iter().find(|item| item.sku.as_str() == named);
            QuoteError::Unknown(sku.map_or_else(String::new, |item| item.sku.to_string()))
        }
        Code::InvalidArgument | Code::OutOfRange => QuoteError::Invalid(status.message().to_owned()),
        _ => QuoteError::Unavailable(Some(Box::new(status))),
    }
}

/// The reply, if it answers just what was asked, and its sums are right: an order is never placed on a half-read price.
fn read(reply: QuoteReply, items: &[OrderItem]) -> Option<Quote> {
    let lines: Vec<LineView> = reply.lines.into_iter().map(line).collect::<Option<_>>()?;
    let asked = |line: &LineView, item: &OrderItem| line.sku == item.sku && line.quantity == item.quantity;
    let fits = lines.len() == items.len() && lines.iter().zip(items).all(|(line, item)| asked(line, item));
    let total = money(reply.total)?;
    let sum = lines.iter().try_fold(Money::zero(total.currency), |sum, line| {
        sum.checked_add(line.line_total).ok()
    })?;
    (fits && sum == total).then_some(Quote { lines, total })
}

fn line(line: QuotedLine) -> Option<LineView> {
    let quantity = Quantity::try_from(i64::from(line.quantity)).ok()?;
    let (unit_price, line_total) = (money(line.unit_price)?, money(line.line_total)?);
    (unit_price.amount >= 0 && unit_price.times(quantity.get()).ok()? == line_total).then_some(LineView {
        sku: Sku::try_from(line.sku).ok()?,
        name: line.name,
        quantity,
        unit_price,
        line_total,
    })
}

fn money(money: Option<MoneyMessage>) -> Option<Money> {
    let money = money?;
    Some(Money::new(money.amount, money.currency.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn when_the_pause_is_over_all_may_ask_until_one_fails() {
        let inventory = Inventory::new("http://127.0.0.1:1").unwrap();
        (1..FAILURES).for_each(|_| inventory.note(false));
        assert!(inventory.may_ask());
        inventory.note(false);
        assert!(!inventory.may_ask());
        inventory.breaker.lock().unwrap().open_until = Some(Instant::now());
        // Two orders that come together.
        assert!(inventory.may_ask() && inventory.may_ask());
        inventory.note(false);
        assert!(!inventory.may_ask());
        inventory.note(true);
        assert!(inventory.may_ask());
    }
}
