//! An order as the API shows it. The database builds it as one JSON document (the view `order_documents`), so reading
//! one, or a page of them, is one round trip; this is that document's type.

use chrono::{DateTime, Utc};
use contracts::{Address, Money, OrderId, OrderItem, PaymentId, Quantity, ReturnId, Sku, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{FulfilmentStatus, OrderStatus, PaymentStatus};

/// An order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Order)]
pub struct OrderView {
    /// Its id.
    pub id: OrderId,
    /// Whose it is.
    pub user_id: UserId,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it was rejected (`out_of_stock`, `payment_declined`, `timeout`) or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was bought, at the prices of that moment.
    pub lines: Vec<LineView>,
    /// The sum of the lines.
    pub total: Money,
    /// The payment's id, which exists once payments was asked.
    pub payment_id: PaymentId,
    /// The provider's token.
    #[schema(example = "pm_card_ok")]
    pub payment_method: String,
    /// Where it goes.
    pub shipping_address: Address,
    /// What happened to the money.
    pub payment_status: PaymentStatus,
    /// What happened to the goods.
    pub fulfilment_status: FulfilmentStatus,
    /// How it was sent, once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<ShipmentView>,
    /// Its returns, oldest first.
    pub returns: Vec<ReturnView>,
    /// The trace of its checkout.
    pub trace_id: Option<String>,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderLine)]
pub struct LineView {
    /// What.
    pub sku: Sku,
    /// Its name when it was ordered.
    pub name: String,
    /// How many.
    pub quantity: Quantity,
    /// Its price when it was ordered.
    pub unit_price: Money,
    /// The price, so many times.
    pub line_total: Money,
}

/// How an order was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Shipment)]
pub struct ShipmentView {
    /// Who carries it.
    pub carrier: Option<String>,
    /// The carrier's number.
    pub tracking_number: Option<String>,
    /// When it left.
    pub shipped_at: DateTime<Utc>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
}

/// Items of an order that are returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Return)]
pub struct ReturnView {
    /// Its id, which is also its saga's.
    pub id: ReturnId,
    /// How far it is.
    pub status: ReturnStatus,
    /// Why the shopper returns the items.
    pub reason: String,
    /// The returned items.
    pub items: Vec<OrderItem>,
    /// The refund: the price of the items, or what remained of the payment if an operator had refunded a part of it.
    pub amount: Money,
    /// Whether the items had been shipped when the return was requested, so that an operator must confirm that they have
    /// arrived before anything is refunded. Items that had not been shipped are refunded at once.
    #[serde(default)]
    pub needs_receipt: bool,
    /// Why an operator refused the return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal_reason: Option<String>,
    /// When it was requested.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// How far a return is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnStatus {
    /// The shopper has requested it. Items that were shipped must arrive first; otherwise the refund is under way.
    Requested,
    /// The items have arrived, and the refund is under way.
    Received,
    /// The money has been refunded, and the items are being restocked.
    Refunded,
    /// The money has been refunded, and the items are for sale again.
    Completed,
    /// An operator refused it, or the refund failed. The items can be returned again.
    Refused,
}

impl ReturnStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Requested,
        Self::Received,
        Self::Refunded,
        Self::Completed,
        Self::Refused,
    ];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Received => "received",
            Self::Refunded => "refunded",
            Self::Completed => "completed",
            Self::Refused => "refused",
        }
    }

    /// From its stored word.
    pub fn parse(word: &str) -> sqlx::Result<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| sqlx::Error::Decode(format!("no return status: {word}").into()))
    }
}
