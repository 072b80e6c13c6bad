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
    /// What came back.
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

/// Goods that come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Return)]
pub struct ReturnView {
    /// Its id, which is also its saga's.
    pub id: ReturnId,
    /// How far it is.
    pub status: ReturnStatus,
    /// Why they come back.
    pub reason: String,
    /// What comes back.
    pub items: Vec<OrderItem>,
    /// The money that goes back.
    pub amount: Money,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// How far a return is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnStatus {
    /// Asked for.
    Requested,
    /// The money is back.
    Refunded,
    /// The goods are for sale again.
    Completed,
    /// Payments refused to give money back.
    Refused,
}
