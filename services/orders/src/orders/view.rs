//! An order as the API shows it. The database view `order_documents` builds it as one JSON document, so that one order or a
//! page of orders is read in one round trip. These are the types of that document.

use chrono::{DateTime, Utc};
use contracts::{Address, Money, OrderId, OrderItem, PaymentId, Quantity, ReturnId, Sku, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{FulfilmentStatus, OrderStatus, PaymentStatus, ReturnStatus};

/// An order with its lines, shipment and returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Order)]
pub struct OrderView {
    /// Id of the order, which is also the id of its checkout saga.
    pub id: OrderId,
    /// The user who placed the order.
    pub user_id: UserId,
    /// Status of the order.
    pub status: OrderStatus,
    /// Why the order was rejected (`out_of_stock`, `payment_declined`, `timeout`), or the reason that was given for its
    /// cancellation. Absent for other orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ordered items, with the names and prices at the time of the order.
    pub lines: Vec<LineView>,
    /// Total price, the sum of the lines.
    pub total: Money,
    /// Id of the payment. The payment exists in payments once its authorization has been requested.
    pub payment_id: PaymentId,
    /// The payment provider's token of the payment method.
    #[schema(example = "pm_card_ok")]
    pub payment_method: String,
    /// Address to which the items are shipped.
    pub shipping_address: Address,
    /// Status of the order's payment.
    pub payment_status: PaymentStatus,
    /// Status of the order's items.
    pub fulfilment_status: FulfilmentStatus,
    /// The shipment. Absent if the order has not been shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<ShipmentView>,
    /// The returns of this order, oldest first.
    pub returns: Vec<ReturnView>,
    /// Id of the trace in which the order was placed.
    pub trace_id: Option<String>,
    /// Time at which the order was placed.
    pub created_at: DateTime<Utc>,
    /// Time of the order's last change.
    pub updated_at: DateTime<Utc>,
}

/// A product in an order, with its quantity and price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderLine)]
pub struct LineView {
    /// SKU of the product.
    pub sku: Sku,
    /// Name of the product at the time of the order.
    pub name: String,
    /// Number of items of this product, 1 to 99.
    pub quantity: Quantity,
    /// Price of one item at the time of the order.
    pub unit_price: Money,
    /// Price of the whole line: `unit_price` times `quantity`.
    pub line_total: Money,
}

/// The shipment of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Shipment)]
pub struct ShipmentView {
    /// Name of the carrier, if the operator entered one.
    pub carrier: Option<String>,
    /// Tracking number of the carrier, if the operator entered one.
    pub tracking_number: Option<String>,
    /// Time at which the items were handed to the carrier.
    pub shipped_at: DateTime<Utc>,
    /// Time at which the items arrived at the shopper. Null until then.
    pub delivered_at: Option<DateTime<Utc>>,
}

/// A return of items of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Return)]
pub struct ReturnView {
    /// Id of the return, which is also the id of its saga.
    pub id: ReturnId,
    /// Status of the return.
    pub status: ReturnStatus,
    /// Reason that the shopper gave for the return.
    pub reason: String,
    /// SKUs and quantities that are returned.
    // The documents that the database builds call them `items`.
    #[serde(rename(serialize = "lines", deserialize = "items"))]
    #[schema(rename = "lines")]
    pub lines: Vec<OrderItem>,
    /// Amount of the refund: the price of the items, or the remainder of the payment if an operator had refunded a part.
    pub amount: Money,
    /// Whether the items had been shipped when the return was requested, so that an operator must confirm that they have
    /// arrived before anything is refunded. Items that had not been shipped are refunded at once.
    #[serde(default)]
    pub needs_receipt: bool,
    /// Reason that the operator gave for refusing the return. Absent unless an operator refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal_reason: Option<String>,
    /// Time at which the return was requested.
    pub created_at: DateTime<Utc>,
    /// Time of the return's last change.
    pub updated_at: DateTime<Utc>,
}
